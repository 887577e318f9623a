"""Many sequences in a few slots: how they begin, end, and make room for the next."""

from __future__ import annotations

from itertools import islice

import pytest
import tiny_semantic as tiny
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.decoder import (
    LOOK_EVERY,
    Decoded,
    Decoder,
    SemanticRequest,
)
from pipeline.engines.gpt_sovits.semantic.model import TextToSemantic
from pipeline.engines.gpt_sovits.semantic.runaway import LOOP_TOKENS
from pipeline.engines.gpt_sovits.semantic.sampling import Limits, Sampling
from pipeline.engines.gpt_sovits.semantic.slots import MIN_NEW_TOKENS, Slots
from pipeline.engines.gpt_sovits.semantic.stepping import Eager

END = tiny.SMALL.eos
GREEDY = Sampling(top_k=1, repetition_penalty=1.0)


@pytest.fixture(scope="module")
def model() -> TextToSemantic:
    return tiny.network()


@pytest.fixture(scope="module")
def endless() -> TextToSemantic:
    return tiny.network(fixed={END: -100})


@pytest.fixture(scope="module")
def humming() -> TextToSemantic:
    """Says token 7 for ever when it is greedy, and much else when it is not."""
    return tiny.network(fixed={END: -100, 7: 14})


def alone(model: TextToSemantic, request: SemanticRequest) -> Decoded:
    (decoded,) = tiny.decode(Decoder(model, n_slots=1), [request])
    return decoded


# --- Slots ----------------------------------------------------------------------------------


class Counting(Eager):
    """Remembers how many rows each step had."""

    def __init__(self, model: TextToSemantic, slots: Slots, capacity: int | None = None) -> None:
        super().__init__(model, slots, capacity)
        self.rows: list[int] = []

    def step(self, n: int, limits: Limits) -> None:
        self.rows.append(n)
        super().step(n, limits)


def test_no_sequence_waits_for_the_longest(endless: TextToSemantic) -> None:
    steppers: list[Counting] = []

    def make(*arguments: object) -> Counting:
        steppers.append(Counting(*arguments))  # type: ignore[arg-type]
        return steppers[-1]

    decoder = Decoder(endless, n_slots=2, make_stepper=make)
    limits = [80, 10, 20, 10, 20, 10]
    wanted = [tiny.request(seed=i, max_new_tokens=limit) for i, limit in enumerate(limits)]
    decoded = tiny.decode(decoder, wanted)
    assert [len(each.tokens) for each in decoded] == limits
    # The others went through the second slot one after another while the first was busy.
    assert len(steppers[0].rows) <= 81
    assert max(steppers[0].rows) == 2


def test_short_sequences_are_there_before_long_ones(endless: TextToSemantic) -> None:
    wanted = [tiny.request(seed=i, max_new_tokens=60 - 15 * i) for i in range(4)]
    assert [index for index, _ in Decoder(endless, n_slots=4).decode(wanted)] == [3, 2, 1, 0]


def test_nothing_to_decode_is_nothing(model: TextToSemantic) -> None:
    assert list(Decoder(model).decode([])) == []


def test_a_decoder_that_was_left_half_way_starts_afresh(endless: TextToSemantic) -> None:
    wanted = [tiny.request(seed=i, max_new_tokens=20 + 9 * i) for i in range(5)]
    expected = tiny.said(tiny.decode(Decoder(endless, n_slots=3), wanted))
    decoder = Decoder(endless, n_slots=3)
    assert len(list(islice(decoder.decode(wanted), 2))) == 2
    assert len(list(islice(decoder.stream(wanted[4], every=5), 3))) == 3
    assert tiny.said(tiny.decode(decoder, wanted)) == expected


def test_the_seed_decides(endless: TextToSemantic) -> None:
    prefix = tiny.prefix(tiny.SMALL, 12, 9)
    wanted = [SemanticRequest(prefix, seed, max_new_tokens=40) for seed in (1, 2, 1)]
    first, second, third = tiny.said(tiny.decode(Decoder(endless), wanted))
    assert first == third
    assert first != second


# --- The cache ------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [16, 512, None, 4096])
def test_the_cache_grows_without_losing_anything(
    endless: TextToSemantic, capacity: int | None
) -> None:
    wanted = [
        tiny.request(seed=i, n_phonemes=n, n_prompt=80, max_new_tokens=50)
        for i, n in enumerate((410, 4, 432, 500))
    ]
    expected = [tiny.said([alone(endless, each)])[0] for each in wanted]
    decoder = Decoder(endless, n_slots=3, capacity=capacity)
    before = decoder.n_bytes
    assert tiny.said(tiny.decode(decoder, wanted)) == expected
    assert (decoder.n_bytes > before) == (capacity != 4096)


def test_without_a_prompt_something_else_is_said(endless: TextToSemantic) -> None:
    prompted = tiny.request(seed=3)
    bare = SemanticRequest(tiny.prefix(tiny.SMALL, 12, 0, seed=3), seed=3, max_new_tokens=40)
    assert len(bare.prefix.prompt) == 0
    assert tiny.said([alone(endless, bare)]) != tiny.said([alone(endless, prompted)])
    assert len(alone(endless, bare).tokens) == 40


def test_every_phoneme_and_every_prompt_token_matters(endless: TextToSemantic) -> None:
    request = tiny.request(seed=4, n_phonemes=6, n_prompt=5)
    said = {tuple(alone(endless, request).tokens.tolist())}
    for name in ("phoneme_ids", "prompt"):
        for place in range(5):
            ids: Tensor = getattr(request.prefix, name).clone()
            ids[place] = (ids[place] + 1) % 200
            parts = {
                each: getattr(request.prefix, each) for each in ("phoneme_ids", "bert", "prompt")
            }
            changed = SemanticRequest(
                type(request.prefix)(**(parts | {name: ids})), 4, max_new_tokens=40
            )
            said.add(tuple(alone(endless, changed).tokens.tolist()))
    assert len(said) == 11


# --- Endings --------------------------------------------------------------------------------


def test_no_sequence_ends_before_its_eleventh_token() -> None:
    hasty = tiny.network(fixed={END: 100})
    wanted = [tiny.request(seed=i, n_phonemes=5 + i) for i in range(5)]
    for decoded in tiny.decode(Decoder(hasty, n_slots=2), wanted):
        assert decoded.ending == "end"
        assert len(decoded.tokens) == MIN_NEW_TOKENS == 11
        assert tiny.SMALL.eos not in decoded.tokens


@pytest.mark.parametrize("limit", [1, 2, 10, 33])
def test_a_limit_cuts_and_changes_nothing_before(endless: TextToSemantic, limit: int) -> None:
    whole = alone(endless, tiny.request(seed=2, max_new_tokens=60))
    cut = alone(endless, tiny.request(seed=2, max_new_tokens=limit))
    assert (whole.ending, cut.ending) == ("limit", "limit")
    assert cut.tokens.tolist() == whole.tokens[:limit].tolist()


def test_a_loop_is_given_up_at_the_same_token_in_any_batch(humming: TextToSemantic) -> None:
    loop = tiny.request(seed=1, sampling=GREEDY, max_new_tokens=400)
    expected = alone(humming, loop)
    assert expected.ending == "loop"
    assert LOOP_TOKENS <= len(expected.tokens) < LOOP_TOKENS + LOOK_EVERY
    # Batch-mates that end now and then move it from slot to slot.
    wild = Sampling(temperature=2.0)
    mates = [tiny.request(seed=i, sampling=wild, max_new_tokens=7 * i + 3) for i in range(2, 9)]
    for place in (0, 3, 7):
        wanted = [*mates[:place], loop, *mates[place:]]
        for n_slots in (2, 4, 16):
            decoded = tiny.decode(Decoder(humming, n_slots=n_slots), wanted)[place]
            assert tiny.said([decoded]) == tiny.said([expected])


def test_a_loop_goes_on_where_it_may(humming: TextToSemantic) -> None:
    whole = alone(humming, tiny.request(sampling=GREEDY, max_new_tokens=200, stops_loops=False))
    assert whole.ending == "limit"
    assert whole.tokens.tolist() == 200 * [7]


# --- Streaming ------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 7, 25, 100])
@pytest.mark.parametrize("fixed", [{END: -100}, {END: 3}, {END: -100, 7: 100}])
def test_a_stream_says_what_is_decoded_at_once(fixed: dict[int, float], every: int) -> None:
    model = tiny.network(fixed=fixed)
    request = tiny.request(seed=5, max_new_tokens=120)
    whole = alone(model, request)
    *parts, last = Decoder(model, n_slots=3).stream(request, every)
    assert isinstance(last, Decoded)
    assert tiny.said([last]) == tiny.said([whole])
    lengths = []
    for part in parts:
        assert isinstance(part, Tensor)
        assert part.tolist() == whole.tokens[: len(part)].tolist()
        lengths.append(len(part))
    # That a sequence has ended by itself is known only after its last token.
    n_told = len(whole.tokens) - (whole.ending != "end")
    assert lengths == list(range(every, n_told + 1, every))


def test_a_stream_keeps_what_it_gave(endless: TextToSemantic) -> None:
    parts = []
    for part in Decoder(endless).stream(tiny.request(max_new_tokens=60), every=10):
        if isinstance(part, Tensor):
            parts.append((part, part.clone()))
    assert all(torch.equal(part, then) for part, then in parts)
