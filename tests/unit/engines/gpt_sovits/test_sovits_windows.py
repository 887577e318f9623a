"""Work in windows gives what the same work gives at once."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from pipeline.engines.gpt_sovits.sovits.windows import windowed

RATE, REACH = 2, 3


def work(x: Tensor) -> Tensor:
    """Return the sum of what lies around, at twice the rate, with silence beyond the ends."""
    kernel = torch.arange(1.0, 2 * REACH + 2)[None, None]
    return functional.conv1d(x, kernel, padding=REACH).repeat_interleave(RATE, dim=-1)


@given(total=st.integers(1, 300), longest=st.integers(4, 12), grain=st.integers(1, 4))
def test_windows_give_what_one_piece_gives(total: int, longest: int, grain: int) -> None:
    x = torch.arange(float(total))[None, None] % 17
    found = windowed(work, x, rate=RATE, reach=REACH, longest=longest * grain + 6, grain=grain)
    assert torch.equal(found, work(x))


@given(totals=st.lists(st.integers(65, 3000), min_size=1, max_size=20))
def test_windows_of_any_signal_have_few_lengths(totals: list[int]) -> None:
    seen: set[int] = set()

    def noting(x: Tensor) -> Tensor:
        seen.add(x.shape[-1])
        return work(x)

    for total in totals:
        windowed(noting, torch.zeros(1, 1, total), rate=RATE, reach=REACH, longest=64, grain=4)
    assert seen <= set(range(36, 65, 4))
