"""Pitch of a voice by autocorrelation, and where there is one.

The autocorrelation of a windowed frame is divided by that of its window (P. Boersma, "Accurate
short-term analysis of the fundamental frequency", 1993); there is no path search, since only
medians over seconds are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples
from pipeline.voices import frames

FRAME_SAMPLES = frames.RATE_HZ // 25
FFT_SIZE = 2048
LOWEST_HZ, HIGHEST_HZ = 65, 400
#: Autocorrelation from which a frame is voiced.
VOICED = 0.6
#: A period half or a third as long wins when it is almost as strong: octave errors go down.
ALMOST = 0.9

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pitch:
    """Of each frame, shape [T / hop]."""

    hz: Values
    #: 0 … 1: how periodic the frame is.
    strength: Values

    @property
    def is_voiced(self) -> npt.NDArray[np.bool_]:
        """Where there is a pitch."""
        return self.strength > VOICED


def track(samples: Samples) -> Pitch:
    """Return the pitch of 16 kHz audio."""
    shortest, longest = frames.RATE_HZ // HIGHEST_HZ, frames.RATE_HZ // LOWEST_HZ
    own = _autocorrelation(np.fft.rfft(np.hanning(FRAME_SAMPLES), FFT_SIZE)[None])[:, :longest]
    found = []
    for block in frames.spectra(samples, FRAME_SAMPLES, FFT_SIZE):
        raw = _autocorrelation(block)[:, :longest]
        found.append(_best(raw / (raw[:, :1] + 1e-9) / (own / own[:, :1]), shortest))
    lags, strengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Pitch(frames.RATE_HZ / lags, strengths)


def _autocorrelation(spectra: frames.Spectra) -> Values:
    return np.fft.irfft(np.square(np.abs(spectra)))


def _best(correlation: Values, shortest: int) -> tuple[Values, Values]:
    """Return the period of each frame in samples, and its strength."""
    rows = np.arange(len(correlation))
    lags = correlation[:, shortest:].argmax(axis=1) + shortest
    strengths = correlation[rows, lags]
    for divisor in (2, 3):
        shorter = np.round(lags / divisor).astype(np.int64)
        theirs = np.where(shorter >= shortest, correlation[rows, shorter], 0.0)
        is_better = theirs > ALMOST * strengths
        lags = np.where(is_better, shorter, lags)
        strengths = np.where(is_better, theirs, strengths)
    return lags.astype(np.float64), strengths
