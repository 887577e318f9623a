"""Linear filters without delay, for streams: what comes out lies where it came in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples

#: Length of the transforms; short enough to stay in a processor's cache.
FFT_SAMPLES = 1 << 14
#: A filtered sample depends on this much before it and as much after it.
REACH_S = 0.05

#: Gives the gain at each frequency (Hz), both of shape [K].
Magnitude = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


class Filter:
    """Filters one channel, block by block; blocks come out later but are not shifted."""

    def __init__(self, sample_rate_hz: int, magnitude: Magnitude) -> None:
        self._reach = round(REACH_S * sample_rate_hz)
        self._step = FFT_SAMPLES - 2 * self._reach
        self._response = self._transform(magnitude, sample_rate_hz)
        self._pending = np.zeros(self._reach, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """Take the next block, shape [T], and return what can be told so far."""
        self._pending = np.concatenate([self._pending, samples])
        n_steps = (len(self._pending) - 2 * self._reach) // self._step
        return self._filtered(max(0, n_steps) * self._step)

    def end(self) -> Samples:
        """Return the rest, as if silence followed."""
        self._pending = np.concatenate([self._pending, np.zeros(self._reach, np.float32)])
        return self._filtered(len(self._pending) - 2 * self._reach)

    def _filtered(self, n_samples: int) -> Samples:
        made = np.empty(n_samples, np.float32)
        for start in range(0, n_samples, self._step):
            spectrum = np.fft.rfft(self._pending[start : start + FFT_SAMPLES], FFT_SAMPLES)
            whole = np.fft.irfft(spectrum * self._response, FFT_SAMPLES)
            stop = min(n_samples, start + self._step)
            made[start:stop] = whole[2 * self._reach : 2 * self._reach + stop - start]
        self._pending = self._pending[n_samples:].copy()
        return made

    def _transform(self, magnitude: Magnitude, rate_hz: int) -> npt.NDArray[np.complex64]:
        """Return the filter as the transform of taps that are symmetric around their middle."""
        gains = magnitude(np.linspace(0.0, rate_hz / 2, FFT_SAMPLES // 2 + 1, dtype=np.float64))
        taps = np.roll(np.fft.irfft(gains), self._reach)[: 2 * self._reach + 1]
        return np.fft.rfft(taps, FFT_SAMPLES).astype(np.complex64)
