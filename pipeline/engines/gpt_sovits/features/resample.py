"""Resampling with a windowed sinc, equal to torchaudio's default.

The method is J. O. Smith's band-limited interpolation (https://ccrma.stanford.edu/~jos/resample/):
each output sample is a sum of its neighbours in the input, weighted by a sinc that a Hann window
ends. Only the taps inside the window are computed, so two rates without a common divisor cost no
more than any other pair.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

#: Zero crossings of the sinc on each side.
ZERO_CROSSINGS = 6
#: Share of the narrower band that passes.
ROLLOFF = 0.99


def resample(waveform: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """Return the waveform at another sample rate.

    Args:
        waveform: [..., T], floating point.
        from_hz: The waveform's sample rate.
        to_hz: The wanted sample rate.

    Returns:
        [..., ceil(T * to_hz / from_hz)]
    """
    if from_hz == to_hz:
        return waveform
    shared = math.gcd(from_hz, to_hz)
    step, n_phases = from_hz // shared, to_hz // shared
    n_out = -(-waveform.shape[-1] * n_phases // step)
    n_blocks = -(-n_out // n_phases)
    first, taps = _taps(step, n_phases)
    first, taps = first.to(waveform.device), taps.to(waveform)
    blocks = _blocks(waveform, n_blocks, step, len(taps))
    out = waveform.new_zeros(*waveform.shape[:-1], n_blocks, n_phases)
    for offset, weights in enumerate(taps):
        out += blocks[..., first + offset] * weights
    return out.flatten(-2)[..., :n_out]


def _half_width(step: int, n_phases: int) -> int:
    """Return the input samples that the window reaches to each side."""
    return math.ceil(ZERO_CROSSINGS * step / _band(step, n_phases))


def _band(step: int, n_phases: int) -> float:
    return min(step, n_phases) * ROLLOFF


def _taps(step: int, n_phases: int) -> tuple[Tensor, Tensor]:
    """Return where in its block each phase's taps begin, [n_phases], and [n_taps, n_phases]."""
    width = _half_width(step, n_phases)
    first = torch.arange(n_phases) * step // n_phases
    position = first + torch.arange(2 * width + 2)[:, None] - width
    # The phase is rounded to single precision, as torchaudio rounds it.
    phase = torch.arange(n_phases) / n_phases
    crossing = (position.double() / step - phase) * _band(step, n_phases)
    crossing = crossing.clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = torch.cos(crossing * (math.pi / ZERO_CROSSINGS / 2)).square()
    return first, torch.sinc(crossing) * window * (_band(step, n_phases) / step)


def _blocks(waveform: Tensor, n_blocks: int, step: int, n_taps: int) -> Tensor:
    """Return the input that each block of `n_phases` outputs reads, [..., n_blocks, span]."""
    width, span = n_taps // 2 - 1, step + n_taps - 1
    behind = (n_blocks - 1) * step + span - width - waveform.shape[-1]
    return functional.pad(waveform, (width, behind)).unfold(-1, span, step)
