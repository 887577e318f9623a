"""Log-mel spectrograms with Slaney's filters, in which the v3 and v4 models speak.

Upstream: module/mel_processing.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.features.spectrogram import magnitudes

#: Range of log magnitudes that the models see as -1 to 1.
LOWEST_LOG, HIGHEST_LOG = -12.0, 2.0

_MAGNITUDE_FLOOR = 1e-5

#: Slaney's scale (Auditory Toolbox, 1998): even up to 1 kHz, then 27 steps a factor of 6.4.
_HZ_PER_MEL = 200 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


@dataclass(frozen=True, slots=True)
class MelSettings:
    """What a log-mel spectrogram is made with."""

    sample_rate_hz: int
    n_fft: int
    hop_samples: int
    n_mels: int = 100


V3 = MelSettings(sample_rate_hz=24_000, n_fft=1024, hop_samples=256)
V4 = MelSettings(sample_rate_hz=32_000, n_fft=1280, hop_samples=320)


def log_mel(waveform: Tensor, settings: MelSettings) -> Tensor:
    """Return natural logarithms of mel magnitudes.

    Args:
        waveform: [B, T] at the settings' sample rate.
        settings: V3 or V4.

    Returns:
        [B, n_mels, T_mel]
    """
    linear = magnitudes(waveform, settings.n_fft, settings.hop_samples)
    mel = torch.matmul(filters(settings).to(linear), linear)
    return mel.clamp(min=_MAGNITUDE_FLOOR).log()


def normalise(mel: Tensor) -> Tensor:
    """Return log magnitudes on the models' scale; any shape."""
    return (mel - LOWEST_LOG) / (HIGHEST_LOG - LOWEST_LOG) * 2 - 1


def filters(settings: MelSettings) -> Tensor:
    """Return triangles of equal area from 0 Hz to half the sample rate, [n_mels, n_fft/2+1]."""
    nyquist_hz = settings.sample_rate_hz / 2
    bins_hz = torch.linspace(0, nyquist_hz, settings.n_fft // 2 + 1, dtype=torch.float64)
    top = _BREAK_MEL + math.log(nyquist_hz / _BREAK_HZ) / _LOG_STEP
    corners_hz = _hz(torch.linspace(0, top, settings.n_mels + 2, dtype=torch.float64))[:, None]
    left, centre, right = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising = (bins_hz - left) / (centre - left)
    falling = (right - bins_hz) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0) * (2 / (right - left))


def _hz(mels: Tensor) -> Tensor:
    curved = _BREAK_HZ * torch.exp(_LOG_STEP * (mels - _BREAK_MEL))
    return torch.where(mels < _BREAK_MEL, mels * _HZ_PER_MEL, curved)
