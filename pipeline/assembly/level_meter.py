"""The level a profile is set by, measured on one channel of a master whose channels are equal."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pipeline.assembly.levels import decibels
from pipeline.assembly.loudness import LoudnessMeter, integrated_lufs
from pipeline.assembly.profiles import Level
from pipeline.audio.clip import Samples


class Meter(Protocol):
    """Measures a stream block by block."""

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        ...

    def level_db(self) -> float:
        """Return the level of all blocks; ends the measurement."""
        ...


def make(level: Level, sample_rate_hz: int, channels: int) -> Meter:
    """Return the meter for a level."""
    return RmsMeter() if level.kind == "rms" else LufsMeter(sample_rate_hz, channels)


class LufsMeter:
    """Integrated loudness when every channel carries the same."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._meter, self._channels = LoudnessMeter(sample_rate_hz), channels

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        self._meter.add(samples)

    def level_db(self) -> float:
        """Return the loudness in LUFS; ends the measurement."""
        return integrated_lufs([self._meter.powers()] * self._channels)


class RmsMeter:
    """RMS level over everything."""

    def __init__(self) -> None:
        self._sum, self._n_samples = 0.0, 0

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        self._sum += float(np.sum(np.square(samples), dtype=np.float64))
        self._n_samples += len(samples)

    def level_db(self) -> float:
        """Return the level in dBFS."""
        return decibels(self._sum / max(1, self._n_samples))
