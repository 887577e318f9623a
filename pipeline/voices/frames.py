"""Spectra of short frames, a block at a time, so that minutes of audio need little memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples
from pipeline.models import mel

#: The detectors hear at Whisper's rate and frame rate.
RATE_HZ = mel.SAMPLE_RATE_HZ
HOP_SAMPLES = mel.HOP_SAMPLES
BLOCK_FRAMES = 500

Spectra = npt.NDArray[np.complex128]


def spectra(samples: Samples, size: int, fft_size: int) -> Iterator[Spectra]:
    """Yield the spectra of Hann-windowed frames, centred at each hop, shape [≤ 500, F]."""
    window = np.hanning(size)
    padded = np.pad(samples, (size // 2, size // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP_SAMPLES]
    for start in range(0, len(frames), BLOCK_FRAMES):
        block = frames[start : start + BLOCK_FRAMES]
        yield np.fft.rfft((block - block.mean(axis=1, keepdims=True)) * window, fft_size)
