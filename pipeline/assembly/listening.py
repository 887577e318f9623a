"""One pass over a stitched stream that tells how loud it is, and will be once compressed.

The gain of a compressor moves slowly, so the level of the compressed stream follows from the power
of short frames: the stream need not be made to be measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.assembly.dynamics import FRAMES_PER_SECOND, SPEECH_DB, Compressor, high_pass
from pipeline.assembly.filtering import Filter, Magnitude
from pipeline.assembly.levels import SILENCE_DB, decibels
from pipeline.assembly.loudness import (
    HOPS_PER_SECOND,
    FramePowers,
    Powers,
    integrated_lufs,
    k_weighting,
)
from pipeline.assembly.profiles import Level
from pipeline.audio.clip import Samples

#: Frames of the compressor in a hop of the loudness, and in a look at the level of speech.
FRAMES_PER_HOP = FRAMES_PER_SECOND // HOPS_PER_SECOND
#: Frames that are looked at together, ten minutes of them: whole hops.
FRAMES_AT_ONCE = 600 * FRAMES_PER_SECOND
#: How far below the mean of all that is heard a pause lies.
PAUSE_DB = 12.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a stream sounds like: two numbers for each 10 ms, 3 MB an hour."""

    n_samples: int
    #: Power of every whole frame, shape [F].
    powers: npt.NDArray[np.float32]
    #: The same after the filters that its level is measured with, shape [F].
    weighted: npt.NDArray[np.float32]

    def gain_db(self) -> float:
        """Return the gain that brings the speech to `SPEECH_DB`; none where all is silent."""
        powers = _hops(self.powers)
        heard = powers[powers > 10 ** (SILENCE_DB / 10)]
        if len(heard) == 0:
            return 0.0
        speech = heard[heard > heard.mean() * 10 ** (-PAUSE_DB / 10)]
        return SPEECH_DB - decibels(float(speech.mean()))

    def compressed_db(self, level: Level, channels: int) -> float:
        """Return the level that the stream will have once compressed, in equal channels."""
        if level.kind == "rms":
            total = sum(float(powers.sum()) for powers in self._compressed())
            return decibels(total / max(1, len(self.powers)))
        hops = np.concatenate([np.zeros(0), *map(_hops, self._compressed())])
        return integrated_lufs([hops] * channels)

    def _compressed(self) -> Iterator[Powers]:
        """Yield the weighted power of every frame once compressed, some at a time."""
        compressor = Compressor(self.gain_db())
        for first in range(0, len(self.powers), FRAMES_AT_ONCE):
            some = slice(first, first + FRAMES_AT_ONCE)
            edges = compressor.gains(self.powers[some])
            before, after = edges[:-1], edges[1:]
            gains = (before * before + before * after + after * after) / 3  # mean square of a ramp
            yield self.weighted[some].astype(np.float64) * gains


def listen(blocks: Iterable[Samples], sample_rate_hz: int, level: Level | None) -> Heard:
    """Hear a whole stream; without a level only its length counts."""
    frame = sample_rate_hz // FRAMES_PER_SECOND
    plain, weighted, n_samples = FramePowers(frame), FramePowers(frame), 0
    weighting = Filter(sample_rate_hz, _weighting(level)) if level else None
    for block in blocks:
        n_samples += len(block)
        if weighting:
            plain.add(block)
            weighted.add(weighting.feed(block))
    if weighting:
        weighted.add(weighting.end())
    return Heard(n_samples, plain.powers(), weighted.powers())


def _weighting(level: Level) -> Magnitude:
    if level.kind == "rms":
        return high_pass
    return lambda frequencies_hz: high_pass(frequencies_hz) * k_weighting(frequencies_hz)


def _hops(powers: npt.NDArray[np.floating]) -> Powers:
    """Return the power of every whole hop of 100 ms, shape [hops]."""
    n_hops = len(powers) // FRAMES_PER_HOP
    hops = powers[: n_hops * FRAMES_PER_HOP].reshape(n_hops, FRAMES_PER_HOP)
    return np.asarray(hops.mean(axis=1, dtype=np.float64))
