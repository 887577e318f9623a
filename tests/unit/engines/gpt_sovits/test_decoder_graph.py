"""How a GPU decodes, without a GPU: all rows in every step, looked at late, fixed passes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import tiny_semantic as tiny
import torch

from pipeline.engines.gpt_sovits.semantic import padded
from pipeline.engines.gpt_sovits.semantic.decoder import Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.graph import FixedRows
from pipeline.engines.gpt_sovits.semantic.model import TextToSemantic
from pipeline.engines.gpt_sovits.semantic.sampling import Sampling
from pipeline.errors import EngineError

CAPACITY, PREFILL_ROWS = 192, 128
END = tiny.SMALL.eos


def run_once(step: Callable[[], None]) -> Callable[[], None]:
    """Stand in for the capture, which runs a step once on empty slots."""
    step()
    return step


def fixed(model: TextToSemantic, n_slots: int, capacity: int = CAPACITY) -> Decoder:
    """Return a decoder that does what it does on a GPU."""
    make = partial(FixedRows, prefill_rows=PREFILL_ROWS, capture=run_once)
    return Decoder(model, n_slots=n_slots, capacity=capacity, make_stepper=make)


def requests(n: int) -> list[SemanticRequest]:
    """Return requests that differ in everything."""
    samplings = (
        Sampling(),
        Sampling(top_k=1),
        Sampling(top_k=100, temperature=1.3),
        Sampling(top_p=0.8, repetition_penalty=1.1),
    )
    return [
        tiny.request(
            n_phonemes=5 + 7 * i % 30,
            n_prompt=11 * i % 20,
            seed=i,
            sampling=samplings[i % len(samplings)],
            max_new_tokens=20 + 13 * i % 40,
        )
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def model() -> TextToSemantic:
    return tiny.network(fixed={END: 4})


@pytest.fixture(scope="module")
def expected(model: TextToSemantic) -> list[tuple[list[int], str]]:
    """What each request becomes by itself, looked at after every token."""
    return [tiny.said(tiny.decode(Decoder(model, n_slots=1), [each]))[0] for each in requests(11)]


def test_the_requests_end_in_different_ways(expected: list[tuple[list[int], str]]) -> None:
    assert {ending for _, ending in expected} >= {"end", "limit"}


@pytest.mark.parametrize("n_slots", [1, 3, 16])
def test_tokens_are_those_of_looking_at_every_token(
    model: TextToSemantic, expected: list[tuple[list[int], str]], n_slots: int
) -> None:
    assert tiny.said(tiny.decode(fixed(model, n_slots), requests(11))) == expected


def test_a_decoder_forgets_what_was_left_unfinished(
    model: TextToSemantic, expected: list[tuple[list[int], str]]
) -> None:
    decoder = fixed(model, 4)
    endless = [tiny.request(seed=i, max_new_tokens=100) for i in range(4)]
    next(decoder.decode(endless))
    for _ in range(3):
        assert tiny.said(tiny.decode(decoder, requests(11))) == expected


def test_rows_without_a_sequence_never_grow(model: TextToSemantic) -> None:
    decoder = fixed(model, 8)
    tiny.decode(decoder, requests(3))
    assert decoder._slots.length.max() == 0
    assert decoder._slots.n_new.max() == 0


@pytest.mark.parametrize("limit", [79, 80, 81, 87, 88, 100])
def test_a_loop_is_reported_as_if_looked_at_every_16_tokens(limit: int) -> None:
    humming = tiny.network(fixed={END: -100, 7: 14})
    sampling = Sampling(top_k=1, repetition_penalty=1.0)
    wanted = tiny.request(sampling=sampling, max_new_tokens=limit)
    (late,) = tiny.decode(fixed(humming, 2), [wanted])
    assert (len(late.tokens), late.ending) == ((79, "limit") if limit == 79 else (80, "loop"))
    assert tiny.said([late]) == tiny.said(tiny.decode(Decoder(humming), [wanted]))


def test_streaming_gives_the_same_tokens_at_the_same_places(model: TextToSemantic) -> None:
    wanted = tiny.request(max_new_tokens=50, seed=3)
    plain, late = (
        [
            each.tolist() if isinstance(each, torch.Tensor) else each.tokens.tolist()
            for each in found
        ]
        for found in (
            Decoder(model, n_slots=2).stream(wanted, every=12),
            fixed(model, 2).stream(wanted, every=12),
        )
    )
    assert plain == late
    assert [len(each) for each in plain[:-1]] == list(range(12, len(plain[-1]), 12))


def test_a_sequence_that_fills_its_slot_is_stopped_there(model: TextToSemantic) -> None:
    never_ends = tiny.network(fixed={END: -100})
    wanted = tiny.request(n_phonemes=40, n_prompt=10, max_new_tokens=1000, stops_loops=False)
    (decoded,) = tiny.decode(fixed(never_ends, 2, capacity=96), [wanted])
    assert decoded.ending == "limit"
    assert len(decoded.tokens) == 96 - 50 - FixedRows.poll_every


def test_a_prefix_that_does_not_fit_is_refused_with_its_length(model: TextToSemantic) -> None:
    with pytest.raises(EngineError, match=r"take 101 positions; at most 87 fit on the GPU"):
        tiny.decode(fixed(model, 2, capacity=96), [tiny.request(n_phonemes=100, n_prompt=1)])
    with pytest.raises(EngineError, match=r"take 129 positions; at most 128 fit"):
        fixed(model, 2).require_room(129)


def test_prefixes_share_a_pass_only_with_those_padded_to_the_same_length() -> None:
    lengths = [20, 128, 33, 32, 64, 1, 31, 65, 30]
    found = list(padded.passes(lengths, 128))
    assert found == [(32, [0, 3, 5, 6]), (32, [8]), (64, [2, 4]), (128, [1]), (128, [7])]


def test_first_logits_do_not_depend_on_who_is_read_with_a_prefix(model: TextToSemantic) -> None:
    prefixes = [tiny.prefix(tiny.SMALL, 5 + i, 3 * i, seed=i) for i in range(7)]
    stepper = fixed(model, 8)._stepper
    with torch.inference_mode():
        together = stepper.read(prefixes, range(7))
        alone = torch.cat([stepper.read([each], [0]) for each in prefixes])
    assert torch.equal(together, alone)
