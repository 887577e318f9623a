"""Which token comes next: bounds, ties, and what top-k and top-p leave."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic import noise
from pipeline.engines.gpt_sovits.semantic.sampling import (
    BOUNDS,
    Limits,
    Sampling,
    SamplingRows,
    draw,
    penalised,
    probabilities,
)
from pipeline.errors import RequestError

samplings = st.builds(
    Sampling,
    top_k=st.sampled_from([1, 2, 15, 100, 1025]),
    top_p=st.sampled_from([0.01, 0.5, 0.95, 1.0]),
    temperature=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
    repetition_penalty=st.sampled_from([0.5, 1.0, 1.35, 5.0]),
)


def rows(wanted: Sequence[Sampling]) -> SamplingRows:
    found = SamplingRows.empty(len(wanted), torch.device("cpu"))
    for row, sampling in enumerate(wanted):
        found.set(row, sampling)
    return found


def chances(logits: Tensor, *wanted: Sampling) -> Tensor:
    return probabilities(logits, rows(wanted), Limits.of(wanted))


def random_logits(n_rows: int, n_tokens: int = 300, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(n_rows, n_tokens, generator=generator)


# --- Bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("end", [0, 1])
def test_a_value_beyond_its_bounds_is_refused_by_name(name: str, end: int) -> None:
    low, high = BOUNDS[name]
    Sampling(**{name: (low, high)[end]})
    with pytest.raises(RequestError, match=rf"{name} is .* from {low} to {high}"):
        Sampling(**{name: (low - 0.001, high + 1)[end]})


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"{name} is nan"):
        Sampling(**{name: float("nan")})


# --- What is left to choose of --------------------------------------------------------------


@given(st.lists(samplings, min_size=1, max_size=8), st.integers(0, 100))
def test_a_row_has_the_same_chances_alone_and_in_any_batch(
    wanted: list[Sampling], seed: int
) -> None:
    logits = random_logits(len(wanted), seed=seed)
    together = chances(logits, *wanted)
    for row, sampling in enumerate(wanted):
        assert torch.equal(together[row], chances(logits[row : row + 1], sampling)[0])


@given(samplings, st.integers(0, 100))
def test_chances_add_up_and_the_likeliest_token_stays_the_likeliest(
    sampling: Sampling, seed: int
) -> None:
    logits = random_logits(1, seed=seed)
    found = chances(logits, sampling)
    assert float(found.sum()) == pytest.approx(1, abs=1e-5)
    assert int(found.argmax()) == int(logits.argmax())
    assert int((found > 0).sum()) <= sampling.top_k


@pytest.mark.parametrize(
    "sampling", [Sampling(top_k=1), Sampling(top_p=0.01), Sampling(temperature=0)]
)
def test_greedy_is_greedy_by_any_parameter(sampling: Sampling) -> None:
    logits = random_logits(1)
    found = chances(logits, sampling)
    assert float(found.max()) == pytest.approx(1)
    for step in range(20):
        exponentials = noise.exponential(torch.tensor([3]), torch.tensor([step]), logits.shape[1])
        assert draw(found, exponentials).tolist() == logits.argmax(dim=1).tolist()


def test_tokens_that_tie_with_the_last_of_the_top_k_stay() -> None:
    logits = torch.tensor([[5.0, 4.0, 4.0, 4.0, 1.0]])
    assert (chances(logits, Sampling(top_k=2)) > 0).tolist() == [[True, True, True, True, False]]
    both = chances(torch.tensor([[2.0, 7.0, 7.0, 1.0]]), Sampling(top_k=1))
    assert both.tolist() == [[0.0, 0.5, 0.5, 0.0]]


def test_a_top_k_beyond_the_vocabulary_keeps_all() -> None:
    logits = random_logits(1, n_tokens=20)
    assert torch.equal(chances(logits, Sampling(top_k=1025)), logits.softmax(dim=1))


def test_top_p_keeps_the_fewest_that_reach_it() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    kept = {
        top_p: int((chances(logits, Sampling(top_p=top_p)) > 0).sum())
        for top_p in (0.3, 0.6, 0.9, 0.97, 1.0)
    }
    # Upstream leaves out the token with which the sum goes beyond top_p, but never the first.
    assert kept == {0.3: 1, 0.6: 1, 0.9: 2, 0.97: 3, 1.0: 4}


def test_a_forbidden_token_has_no_chance_though_all_are_wanted() -> None:
    logits = random_logits(1)
    logits[0, 7] = -torch.inf
    found = chances(logits, Sampling(top_k=1025, temperature=5.0))
    assert float(found[0, 7]) == 0
    assert found.isfinite().all()


def test_warmer_is_flatter() -> None:
    logits = random_logits(1)
    peaks = [float(chances(logits, Sampling(temperature=t)).max()) for t in (0.5, 1.0, 2.0)]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] > peaks[2]


# --- Repetition -----------------------------------------------------------------------------


def test_seen_tokens_become_less_likely_and_no_others() -> None:
    logits = torch.tensor([[2.0, -2.0, 0.0, 2.0, -2.0]])
    seen = torch.tensor([[True, True, True, False, False]])
    wanted = rows([Sampling(repetition_penalty=2.0)])
    assert penalised(logits, seen, wanted).tolist() == [[1.0, -4.0, 0.0, 2.0, -2.0]]
    plain = rows([Sampling(repetition_penalty=1.0)])
    assert torch.equal(penalised(logits, seen, plain), logits)


def test_a_forbidden_token_that_was_seen_stays_forbidden() -> None:
    logits = torch.tensor([[-torch.inf, 1.0]])
    seen = torch.tensor([[True, False]])
    for penalty in (0.5, 5.0):
        wanted = rows([Sampling(repetition_penalty=penalty)])
        assert penalised(logits, seen, wanted)[0, 0] == -torch.inf


# --- Drawing --------------------------------------------------------------------------------


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    likely = torch.tensor([0.5, 0.25, 0.2, 0.05, 0.0])
    n = 40_000
    exponentials = noise.exponential(torch.arange(n), torch.zeros(n, dtype=torch.int64), 5)
    drawn = torch.bincount(draw(likely.expand(n, 5), exponentials), minlength=5) / n
    assert float((drawn - likely).abs().max()) < 0.01
    assert drawn[4] == 0
