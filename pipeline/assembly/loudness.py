"""Integrated loudness of a stream (ITU-R BS.1770-4), block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples

Powers = npt.NDArray[np.float64]

#: Loudness is gated in windows of four hops of 100 ms.
HOPS_PER_SECOND = 10
HOPS_PER_WINDOW = 4
#: 1 kHz at full scale in one channel measures -3.01 LUFS with this offset.
OFFSET_DB = -0.691
#: The two filters of BS.1770-4, tables 1 and 2, as (zeros, poles): the head, which raises the
#: treble by 4 dB, and the cut of the bass below 38 Hz.
REFERENCE_HZ = 48_000
SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
#: Length of the transforms that filter the signal.
FFT_SAMPLES = 1 << 16
#: Given when nothing is loud enough to count.
SILENT_LUFS = -70.0


class LoudnessMeter:
    """Power of one channel in hops of 100 ms, weighted as the ear does ("K")."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._hop = sample_rate_hz // HOPS_PER_SECOND
        self._n_taps = 2 * (self._hop // 2)
        self._step = (FFT_SAMPLES - self._n_taps) // self._hop * self._hop
        self._response = _response(sample_rate_hz, self._n_taps)
        # A weighted sample depends on half the taps before it and half after it.
        self._pending = [np.zeros(self._n_taps // 2, np.float32)]
        self._n_pending = self._n_taps // 2
        self._powers: list[Powers] = []

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        self._pending.append(samples)
        self._n_pending += len(samples)
        length = self._n_taps + self._step
        if self._n_pending < length:
            return
        pending = np.concatenate(self._pending)
        while len(pending) >= length:
            self._weigh(pending[:length])
            pending = pending[self._step :]
        self._pending, self._n_pending = [pending.copy()], len(pending)

    def powers(self) -> Powers:
        """Return the power of every whole hop, shape [hops]; ends the measurement."""
        pending = np.concatenate([*self._pending, np.zeros(self._n_taps // 2, np.float32)])
        n_samples = (len(pending) - self._n_taps) // self._hop * self._hop
        for start in range(0, n_samples, self._step):
            stop = self._n_taps + min(n_samples, start + self._step)
            self._weigh(pending[start:stop])
        self._pending, self._n_pending = [], 0
        return np.concatenate([np.zeros(0), *self._powers])

    def _weigh(self, samples: Samples) -> None:
        spectrum = np.fft.rfft(samples, FFT_SAMPLES) * self._response
        weighted = np.fft.irfft(spectrum, FFT_SAMPLES)[self._n_taps : len(samples)]
        hops = weighted.reshape(-1, self._hop)
        self._powers.append(np.mean(np.square(hops), axis=1, dtype=np.float64))


def integrated_lufs(channels: Sequence[Powers]) -> float:
    """Return the gated loudness of channels that were measured side by side."""
    hops = np.sum(channels, axis=0)
    if len(hops) < HOPS_PER_WINDOW:
        return SILENT_LUFS
    windows = np.convolve(hops, np.full(HOPS_PER_WINDOW, 1 / HOPS_PER_WINDOW), "valid")
    heard = windows[_lufs(windows) > ABSOLUTE_GATE_LUFS]
    if len(heard) == 0:
        return SILENT_LUFS
    gate = float(_lufs(np.mean(heard))) + RELATIVE_GATE_LU
    return float(_lufs(np.mean(heard[_lufs(heard) > gate])))


def _lufs(power: Powers | np.floating) -> Powers:
    return np.asarray(OFFSET_DB + 10 * np.log10(np.maximum(power, 1e-12)))


def _response(sample_rate_hz: int, n_taps: int) -> npt.NDArray[np.complex64]:
    """Return the K weighting as the transform of `n_taps` + 1 taps around their middle.

    Only its magnitude counts for power, so the taps are symmetric. The standard gives the filters
    at 48 kHz; their response is looked up at the frequencies of this rate, so that a sound
    measures the same at every rate.
    """
    frequencies = np.fft.rfftfreq(FFT_SAMPLES, 1 / sample_rate_hz)
    angles = 2 * np.pi * np.minimum(frequencies / REFERENCE_HZ, 0.5)
    delay = np.exp(-1j * angles)  # one sample later, at 48 kHz
    magnitude = np.abs(_biquad(delay, SHELF) * _biquad(delay, HIGH_PASS))
    taps = np.roll(np.fft.irfft(magnitude), n_taps // 2)[: n_taps + 1]
    return np.fft.rfft(taps, FFT_SAMPLES).astype(np.complex64)


def _biquad(
    delay: npt.NDArray[np.complex128], coefficients: tuple[tuple[float, ...], tuple[float, ...]]
) -> npt.NDArray[np.complex128]:
    zeros, poles = (sum(c * delay**n for n, c in enumerate(side)) for side in coefficients)
    return np.asarray(zeros / poles)
