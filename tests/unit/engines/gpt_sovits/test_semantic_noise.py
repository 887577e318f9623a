"""Random numbers that belong to a seed and a step, not to a batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.gpt_sovits.semantic.noise import exponential

seeds = st.integers(0, 2**32 - 1)
steps = st.integers(0, 1500)


def one(seed: int, step: int, n: int = 1025) -> torch.Tensor:
    return exponential(torch.tensor([seed]), torch.tensor([step]), n)[0]


@given(st.lists(st.tuples(seeds, steps), min_size=1, max_size=16))
def test_a_row_draws_the_same_alone_and_in_any_batch(rows: list[tuple[int, int]]) -> None:
    batch = exponential(*torch.tensor(rows).T, 64)
    for row, (seed, step) in zip(batch, rows, strict=True):
        assert torch.equal(row, one(seed, step, 64))


@given(seeds, steps)
def test_fewer_numbers_are_the_first_of_more(seed: int, step: int) -> None:
    assert torch.equal(one(seed, step, 100), one(seed, step, 1025)[:100])


@given(seeds, steps)
def test_numbers_are_positive_and_finite(seed: int, step: int) -> None:
    numbers = one(seed, step)
    assert numbers.min() > 0
    assert numbers.isfinite().all()


@pytest.mark.parametrize("of", ["seeds", "steps", "positions"])
def test_numbers_are_distributed_as_they_should_be_whatever_changes(of: str) -> None:
    n = 100_000
    counting, still = torch.arange(n), torch.full((n,), 7)
    drawn = {
        "seeds": lambda: exponential(counting, still, 1)[:, 0],
        "steps": lambda: exponential(still, counting, 1)[:, 0],
        "positions": lambda: one(7, 7, n),
    }[of]()
    assert float(drawn.mean()) == pytest.approx(1, abs=0.02)
    assert float(drawn.var()) == pytest.approx(1, abs=0.04)
    # Exp(1) through its own distribution is uniform: ten bins of the same size.
    share = torch.histc(torch.exp(-drawn), 10, 0, 1) / n
    assert float((share - 0.1).abs().max()) < 0.005
    # Neighbours do not know of each other.
    assert abs(float(torch.corrcoef(torch.stack((drawn[:-1], drawn[1:])))[0, 1])) < 0.02


@given(seeds, steps)
def test_another_seed_or_step_gives_other_numbers(seed: int, step: int) -> None:
    here = one(seed, step)
    for other in (one(seed + 1, step), one(seed, step + 1), one(seed + 1, step - 1)):
        assert (other == here).float().mean() < 0.01
