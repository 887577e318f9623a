"""Integrated loudness of a stream (ITU-R BS.1770-4), block by block."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.assembly.filtering import Filter
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
#: Given when nothing is loud enough to count.
SILENT_LUFS = -70.0


class FramePowers:
    """Mean squares of the frames of one channel, block by block; only whole frames count.

    Four bytes a frame: there are millions in a book.
    """

    def __init__(self, frame: int) -> None:
        self._frame = frame
        self._rest = np.zeros(0, np.float32)
        self._powers = array("f")

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        both = np.concatenate([self._rest, samples])
        n_whole = len(both) // self._frame * self._frame
        frames = both[:n_whole].reshape(-1, self._frame)
        powers = np.einsum("ij,ij->i", frames, frames) / np.float32(self._frame)
        self._powers.frombytes(powers.tobytes())
        self._rest = both[n_whole:].copy()

    def powers(self) -> npt.NDArray[np.float32]:
        """Return the power of every whole frame, shape [frames]; ends the measurement."""
        return np.frombuffer(self._powers, np.float32)


class LoudnessMeter:
    """Power of one channel in hops of 100 ms, weighted as the ear does ("K")."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._weighting = Filter(sample_rate_hz, k_weighting)
        self._hops = FramePowers(sample_rate_hz // HOPS_PER_SECOND)

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        self._hops.add(self._weighting.feed(samples))

    def powers(self) -> Powers:
        """Return the power of every whole hop, shape [hops]; ends the measurement."""
        self._hops.add(self._weighting.end())
        return self._hops.powers().astype(np.float64)


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


def k_weighting(frequencies_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the gain of the K weighting at each frequency, shape [K].

    Only its magnitude counts for power. The standard gives the filters at 48 kHz; their response
    is looked up at the frequencies of any rate, so that a sound measures the same at every rate.
    """
    angles = 2 * np.pi * np.minimum(frequencies_hz / REFERENCE_HZ, 0.5)
    delay = np.exp(-1j * angles)  # one sample later, at 48 kHz
    return np.abs(_biquad(delay, SHELF) * _biquad(delay, HIGH_PASS))


def _biquad(
    delay: npt.NDArray[np.complex128], coefficients: tuple[tuple[float, ...], tuple[float, ...]]
) -> npt.NDArray[np.complex128]:
    zeros, poles = (sum(c * delay**n for n, c in enumerate(side)) for side in coefficients)
    return np.asarray(zeros / poles)
