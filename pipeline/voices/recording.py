"""A recording as it was given → one channel, without rumble, at the rate of stored clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.assembly.filtering import Filter
from pipeline.audio.clip import Clip, Samples
from pipeline.audio.probe import AudioStream, decoded, probe
from pipeline.errors import InputError, PermanentError
from pipeline.voices import clipping

#: Rate of stored clips: what the cloning engine speaks at, so no timbre is lost.
RATE_HZ = 32_000
#: A telephone's 8 kHz makes a dull voice.
MIN_RATE_HZ = 16_000
#: Longer recordings are refused: the choice would take minutes, and gain nothing.
MAX_S = 300
#: Below this there is rumble and no voice.
RUMBLE_HZ = 50.0
#: A mean of two channels that is weaker than this share of the louder one cancels it.
MIN_MEAN_POWER = 0.3

PLAYS = "Check that the file is complete and plays."


@dataclass(frozen=True, slots=True)
class Recording:
    """What is heard, and where it was clipped."""

    path: Path
    #: At `RATE_HZ`.
    clip: Clip
    #: Samples of the clip at which a clipped peak lies, in order.
    clipped: npt.NDArray[np.int64]


def read(path: Path) -> Recording:
    """Read a recording of any format.

    Raises:
        InputError: It is not there, not audio, damaged, too long or of too low a rate.
    """
    if not path.is_file():
        raise InputError(path, "there is no such file.", remedy="Give the path of a recording.")
    stream = _stream(path)
    if stream.sample_rate_hz < MIN_RATE_HZ:
        raise InputError(
            path,
            f"recorded at {stream.sample_rate_hz} Hz, like a telephone.",
            remedy=f"Give a recording of at least {MIN_RATE_HZ} Hz.",
        )
    samples = _mono(_decoded(path, stream))
    clip = Clip(without_rumble(samples, stream.sample_rate_hz), stream.sample_rate_hz)
    clipped = clipping.clipped(samples) * RATE_HZ // stream.sample_rate_hz
    return Recording(path, clip.resampled(RATE_HZ), clipped)


def _stream(path: Path) -> AudioStream:
    try:
        return probe(path.resolve())
    except InputError as error:
        remedy = "Give speech as wav, mp3, m4a, flac or ogg."
        raise InputError(path, error.problem, remedy=remedy) from error


def _decoded(path: Path, stream: AudioStream) -> Samples:
    """Return every channel, shape [T, C]."""
    blocks: list[Samples] = []
    length = 0
    try:
        for block in decoded(path.resolve(), stream):
            blocks.append(block)
            length += len(block)
            if length > MAX_S * stream.sample_rate_hz:
                raise InputError(
                    path,
                    f"longer than {MAX_S // 60} minutes.",
                    remedy="Cut out one to three minutes of clean speech.",
                )
    except InputError:
        raise
    except PermanentError as error:
        raise InputError(path, f"cannot be decoded ({error}).", remedy=PLAYS) from error
    if not length:
        raise InputError(path, "there is no sound in it.", remedy=PLAYS)
    return np.nan_to_num(np.concatenate(blocks), posinf=0.0, neginf=0.0)


def _mono(channels: Samples) -> Samples:
    """Return the mean of the channels, or the louder one where the mean would cancel it."""
    mean: Samples = channels.mean(axis=1, dtype=np.float32)
    powers = np.mean(np.square(channels), axis=0)
    if np.mean(np.square(mean)) < MIN_MEAN_POWER * powers.max():
        return np.ascontiguousarray(channels[:, int(powers.argmax())])
    return mean


def without_rumble(samples: Samples, sample_rate_hz: int) -> Samples:
    """Return the samples without a constant offset and what lies below a voice, not shifted."""

    def magnitude(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 1.0 / (1.0 + (RUMBLE_HZ / np.maximum(hz, 1e-3)) ** 4)

    rumble = Filter(sample_rate_hz, magnitude)
    return np.concatenate([rumble.feed(samples - samples.mean()), rumble.end()])
