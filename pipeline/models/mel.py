"""Log-mel spectrograms as Whisper was trained on them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples

SAMPLE_RATE_HZ = 16_000
FFT_SIZE = 400
HOP_SAMPLES = 160
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES
#: Power below this counts as silence; dynamic range is cut this many decades under the peak.
POWER_FLOOR = 1e-10
RANGE_DECADES = 8.0

Features = npt.NDArray[np.float32]


def log_mel(samples: Samples, n_mels: int) -> Features:
    """Return the features of 16 kHz audio [T] as [n_mels, T / 160]."""
    padded = np.pad(samples, FFT_SIZE // 2, mode="reflect" if len(samples) > FFT_SIZE else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT_SIZE)[::HOP_SAMPLES]
    n_frames = len(samples) // HOP_SAMPLES
    spectra = np.fft.rfft(windows[:n_frames] * _window(), axis=1)
    power = np.square(np.abs(spectra)).astype(np.float32)
    mel = _filters(n_mels) @ power.T
    levels = np.log10(np.maximum(mel, POWER_FLOOR))
    levels = np.maximum(levels, levels.max(initial=-RANGE_DECADES) - RANGE_DECADES)
    return np.ascontiguousarray((levels + 4.0) / 4.0, np.float32)


@lru_cache(maxsize=1)
def _window() -> Features:
    return np.hanning(FFT_SIZE + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=2)
def _filters(n_mels: int) -> Features:
    """Return triangular filters of equal area, evenly spaced on Slaney's scale, [n_mels, 201]."""
    bins_hz = np.fft.rfftfreq(FFT_SIZE, 1.0 / SAMPLE_RATE_HZ)
    top = _hz_to_mel(SAMPLE_RATE_HZ / 2)
    corners_hz = _mel_to_hz(np.linspace(0.0, top, n_mels + 2))
    low, centre, high = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising = (bins_hz - low) / (centre - low)
    falling = (high - bins_hz) / (high - centre)
    area = 2.0 / (high - low)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * area, np.float32)


#: Slaney's scale is linear up to 1 kHz (15 mel) and logarithmic above, 27 mel to a factor of 6.4.
_MEL_HZ = 200.0 / 3
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    if hz < _KNEE_HZ:
        return hz / _MEL_HZ
    return float(_KNEE_MEL + np.log(hz / _KNEE_HZ) / _LOG_STEP)


def _mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _MEL_HZ, above)
