"""Local work over a long signal, window by window, with the result of doing it at once.

oneDNN compiles kernels for every length it meets, which takes a third of the time of a short chunk
and a gigabyte after twenty lengths. Windows have few lengths, however long the chunks; and they
stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor


def windowed(
    work: Callable[[Tensor], Tensor], x: Tensor, *, rate: int, reach: int, longest: int, grain: int
) -> Tensor:
    """Return `work(x)`, computed in windows that overlap by what the work hears around a position.

    The windows of a signal are of one length, the last two overlapping more than they must; at the
    ends of the signal they end with it, so that the work sees the ends as they are.

    Args:
        work: [..., T] → [..., rate · T], of which a position depends on at most `reach` positions
            on either side.
        x: [..., T].
        rate: What the work multiplies the length by.
        reach: In positions of the input.
        longest: Longest window, in positions of the input.
        grain: Lengths of windows are multiples of it.
    """
    total = x.shape[-1]
    if total <= longest:
        return work(x)
    length = _length(total, reach, longest, grain)
    parts: list[Tensor] = []
    done = 0
    while done < total:
        start = min(max(0, done - reach), total - length)
        stop = start + length
        end = total if stop == total else stop - reach
        part = work(x[..., start:stop])
        parts.append(part[..., (done - start) * rate : (end - start) * rate])
        done = end
    return torch.cat(parts, dim=-1)


def _length(total: int, reach: int, longest: int, grain: int) -> int:
    """Return the shortest length with which the fewest possible windows cover the signal."""
    inner = total - 2 * reach
    n_windows = ceil(inner / (longest - 2 * reach))
    length = ceil(inner / n_windows) + 2 * reach
    return min(ceil(length / grain) * grain, longest)
