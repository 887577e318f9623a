"""Levels of short frames, and where the speech of a clip begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Clip, Samples

#: Length of an energy frame: short enough to place an edge, long enough to hold a pitch period.
FRAME_MS = 5
#: A frame is speech when it is louder than this (dBFS, RMS) …
SPEECH_FLOOR_DB = -45.0
#: … or, in a quiet recording, than this far below its loudest frames.
SPEECH_RANGE_DB = 40.0
#: Level given to digital silence.
SILENCE_DB = -120.0


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """First and one past the last sample of active speech."""

    start: int
    end: int


def frame_levels_db(samples: Samples, frame: int) -> npt.NDArray[np.float32]:
    """Return the RMS level of each frame of `frame` samples in dBFS, shape [ceil(T / frame)]."""
    n_frames = -(-len(samples) // frame)
    padded = np.zeros(n_frames * frame, np.float32)
    padded[: len(samples)] = samples
    power = np.mean(np.square(padded.reshape(n_frames, frame)), axis=1)
    floor = 10.0 ** (SILENCE_DB / 10)
    return np.asarray(10.0 * np.log10(np.maximum(power, floor)), np.float32)


def speech_threshold_db(levels_db: npt.NDArray[np.float32]) -> float:
    """Return the level above which a frame counts as speech."""
    if len(levels_db) == 0:
        return SPEECH_FLOOR_DB
    loud = float(np.percentile(levels_db, 95))
    return min(SPEECH_FLOOR_DB, loud - SPEECH_RANGE_DB)


def speech_span(clip: Clip) -> SpeechSpan:
    """Return the span from the first to the last frame of speech; (0, 0) when there is none."""
    frame = clip.sample_rate_hz * FRAME_MS // 1000
    levels = frame_levels_db(clip.samples, frame)
    active = np.flatnonzero(levels > max(speech_threshold_db(levels), -70.0))
    if len(active) == 0:
        return SpeechSpan(0, 0)
    return SpeechSpan(int(active[0]) * frame, min(len(clip.samples), (int(active[-1]) + 1) * frame))
