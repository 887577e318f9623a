"""Kaldi's log-mel filter bank, which the speaker verification network hears.

`compute-fbank-feats` of Kaldi with 80 bins, no dither and its defaults elsewhere; the waveform is
in [-1, 1], where Kaldi has 16-bit numbers. Upstream: eres2net/kaldi.py.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SAMPLE_RATE_HZ = 16_000
N_MELS = 80

FRAME_SAMPLES = 25 * SAMPLE_RATE_HZ // 1000
HOP_SAMPLES = 10 * SAMPLE_RATE_HZ // 1000
_N_FFT = 512

_PRE_EMPHASIS = 0.97
#: Kaldi's own window ("povey"): Hann's, made wider.
_WINDOW_POWER = 0.85
_LOWEST_HZ = 20.0


def fbank(waveform_16k: Tensor) -> Tensor:
    """Return log energies of the mel bins; frames that would reach past the end are left out.

    Args:
        waveform_16k: [T], float32, T >= FRAME_SAMPLES.

    Returns:
        [1, F=80, T_frames]; 100 frames a second.
    """
    assert waveform_16k.ndim == 1
    assert len(waveform_16k) >= FRAME_SAMPLES, "shorter than a frame"
    frames = waveform_16k.unfold(0, FRAME_SAMPLES, HOP_SAMPLES)
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = functional.pad(frames[None], (1, 0), mode="replicate")[0, :, :-1]
    frames = (frames - _PRE_EMPHASIS * before) * _window().to(frames)
    power = torch.fft.rfft(frames, n=_N_FFT).abs().square()
    energies = torch.matmul(_filters().to(power), power.T)
    return energies.clamp(min=torch.finfo(torch.float32).eps).log()[None]


def _window() -> Tensor:
    return torch.hann_window(FRAME_SAMPLES, periodic=False).pow(_WINDOW_POWER)


def _filters() -> Tensor:
    """Return triangles of equal height on the mel scale, [80, _N_FFT/2+1]."""
    lowest, highest = _mel(torch.tensor([_LOWEST_HZ, SAMPLE_RATE_HZ / 2])).tolist()
    width = (highest - lowest) / (N_MELS + 1)
    left = (lowest + torch.arange(N_MELS) * width)[:, None]
    bins = _mel(torch.arange(_N_FFT // 2) * (SAMPLE_RATE_HZ / _N_FFT))
    triangles = torch.minimum((bins - left) / width, (left + 2 * width - bins) / width)
    return functional.pad(triangles.clamp(min=0), (0, 1))  # Kaldi leaves out the highest bin.


def _mel(hz: Tensor) -> Tensor:
    return 1127.0 * torch.log(1.0 + hz / 700.0)
