"""Random numbers that depend on a seed, a step and a position, and on nothing else.

A stateful generator would tie a chunk's numbers to the batch it was in. Here each number is a hash
of its coordinates (SplitMix64's finaliser, Steele et al. 2014), computed the same way on CPU and
GPU and inside a CUDA graph.
"""

from __future__ import annotations

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
#: Random bits in a number; fp32 holds 24 exactly.
_BITS = 24


def exponential(seeds: Tensor, steps: Tensor, n: int) -> Tensor:
    """Return numbers distributed as Exp(1).

    Args:
        seeds: [B] int64, one a row.
        steps: [B] int64, how often the row has drawn before.
        n: Numbers in a row.

    Returns:
        [B, n] fp32, all positive.
    """
    position = torch.arange(n, device=seeds.device)
    row = _mix(_mix(seeds * _GOLDEN) + steps * _GOLDEN)
    bits = _shifted(_mix(row[:, None] + (position + 1) * _GOLDEN), 64 - _BITS)
    uniform = (bits.float() + 0.5) * 2.0**-_BITS  # inside (0, 1)
    return -torch.log(uniform)


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shifted(x, 30)) * _MIX_1
    x = (x ^ _shifted(x, 27)) * _MIX_2
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, by: int) -> Tensor:
    """Shift right as if unsigned."""
    return (x >> by) & ((1 << (64 - by)) - 1)
