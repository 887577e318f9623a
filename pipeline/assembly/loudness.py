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
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
#: Length of the transforms that filter the signal.
FFT_SAMPLES = 1 << 16
#: Given when nothing is loud enough to count.
SILENT_LUFS = -70.0


class LoudnessMeter:
    """Power of one channel in hops of 100 ms, weighted as the ear does ("K").

    The weighting filters are recursive; their response is applied here with transforms, cut off
    after 100 ms, where it has decayed by more than 180 dB.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._hop = sample_rate_hz // HOPS_PER_SECOND
        self._n_taps = self._hop
        self._step = (FFT_SAMPLES - self._n_taps) // self._hop * self._hop
        self._response = _response(sample_rate_hz, self._n_taps)
        self._pending = [np.zeros(self._n_taps, np.float32)]
        self._n_pending = 0
        self._powers: list[Powers] = []

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        self._pending.append(samples)
        self._n_pending += len(samples)
        if self._n_pending < self._step:
            return
        pending = np.concatenate(self._pending)
        while self._n_pending >= self._step:
            self._weigh(pending[: self._n_taps + self._step])
            pending = pending[self._step :]
            self._n_pending -= self._step
        self._pending = [pending.copy()]

    def powers(self) -> Powers:
        """Return the power of every whole hop so far, shape [hops]; ends the measurement."""
        n_hops = self._n_pending // self._hop
        if n_hops:
            pending = np.concatenate(self._pending)
            self._weigh(pending[: self._n_taps + n_hops * self._hop])
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
    """Return the K weighting as the transform of its first `n_taps` samples."""
    z = np.exp(-2j * np.pi * np.arange(FFT_SAMPLES // 2 + 1) / FFT_SAMPLES)
    impulse = np.fft.irfft(_shelf(z, sample_rate_hz) * _high_pass(z, sample_rate_hz))[:n_taps]
    return np.fft.rfft(impulse, FFT_SAMPLES).astype(np.complex64)


def _shelf(z: npt.NDArray[np.complex128], sample_rate_hz: int) -> npt.NDArray[np.complex128]:
    """Return the response of the first stage: a head, +4 dB in the treble; z is z⁻¹."""
    k = np.tan(np.pi * 1681.974450955533 / sample_rate_hz)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    top = (
        (high + band * k / q + k * k)
        + 2 * (k * k - high) * z
        + (high - band * k / q + k * k) * z**2
    )
    return np.asarray(top / _poles(z, k, q))


def _high_pass(z: npt.NDArray[np.complex128], sample_rate_hz: int) -> npt.NDArray[np.complex128]:
    """Return the response of the second stage: the bass cut below 38 Hz."""
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate_hz), 0.5003270373238773
    scale = 1 + k / q + k * k
    return np.asarray(scale * (1 - 2 * z + z**2) / _poles(z, k, q))


def _poles(z: npt.NDArray[np.complex128], k: float, q: float) -> npt.NDArray[np.complex128]:
    return np.asarray((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2)
