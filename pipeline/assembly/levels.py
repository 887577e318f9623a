"""Plain levels of a stream: RMS, sample peak, noise floor, quiet at both ends; block by block."""

from __future__ import annotations

import numpy as np

from pipeline.assembly.loudness import Powers
from pipeline.audio.clip import Samples

#: Frames whose level decides where the quiet at the ends stops …
FRAMES_PER_SECOND = 100
#: … which is at the first frame louder than this (dBFS, RMS).
QUIET_DB = -50.0
#: The noise floor is the level of the quietest window of this many frames: half a second.
FLOOR_FRAMES = 50
#: Level given to digital silence.
SILENCE_DB = -120.0


def decibels(power: float) -> float:
    """Return the level of a mean square in dBFS."""
    return 10 * float(np.log10(max(power, 10 ** (SILENCE_DB / 10))))


class LevelMeter:
    """Levels of a stream of any number of channels."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._frame = sample_rate_hz // FRAMES_PER_SECOND
        self._rate = sample_rate_hz
        self._rest: Samples | None = None
        self._frames_before = np.zeros(0)  # of the last half second, for windows over a seam
        self._power_sum, self._peak, self._floor = 0.0, 0.0, np.inf
        self._n_samples, self._n_frames = 0, 0
        self._first_loud: int | None = None
        self._last_loud = -1

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T, C], into account."""
        self._n_samples += len(samples)
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0.0)))
        power = np.mean(np.square(samples, dtype=np.float32), axis=1)
        self._power_sum += float(np.sum(power, dtype=np.float64))
        pending = power if self._rest is None else np.concatenate([self._rest, power])
        n_whole = len(pending) // self._frame * self._frame
        self._rest = pending[n_whole:]
        frames = pending[:n_whole].reshape(-1, self._frame).mean(axis=1, dtype=np.float64)
        self._see_ends(frames)
        self._see_floor(frames)
        self._n_frames += len(frames)

    def _see_ends(self, frames: Powers) -> None:
        loud = np.flatnonzero(frames > 10 ** (QUIET_DB / 10)) + self._n_frames
        if len(loud):
            self._first_loud = int(loud[0]) if self._first_loud is None else self._first_loud
            self._last_loud = int(loud[-1])

    def _see_floor(self, frames: Powers) -> None:
        frames = np.concatenate([self._frames_before, frames])
        if len(frames) >= FLOOR_FRAMES:
            windows = np.convolve(frames, np.full(FLOOR_FRAMES, 1 / FLOOR_FRAMES), "valid")
            self._floor = min(self._floor, max(0.0, float(windows.min())))
        self._frames_before = frames[-(FLOOR_FRAMES - 1) :]

    @property
    def duration_s(self) -> float:
        """Length so far, in seconds."""
        return self._n_samples / self._rate

    @property
    def rms_db(self) -> float:
        """RMS over everything, pauses included, in dBFS: a full-scale square wave has 0."""
        return decibels(self._power_sum / max(self._n_samples, 1))

    @property
    def peak_db(self) -> float:
        """Largest sample, in dBFS."""
        return decibels(self._peak**2)

    @property
    def noise_floor_db(self) -> float:
        """RMS of the quietest half second, in dBFS; of everything when it is shorter."""
        return decibels(self._floor) if np.isfinite(self._floor) else self.rms_db

    @property
    def head_s(self) -> float:
        """Quiet before the first loud frame; the whole length when there is none."""
        first = self._first_loud
        return self.duration_s if first is None else first * self._frame / self._rate

    @property
    def tail_s(self) -> float:
        """Quiet after the last loud frame."""
        return self.duration_s - (self._last_loud + 1) * self._frame / self._rate
