"""A stitched stream → a lossless master at the profile's rate, level and ceiling.

Nothing is held but a few blocks: each pass makes the stream anew. The first hears how loud it is,
the second writes the master and measures it. Where limiting has taken away loudness, the second is
repeated with more gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from pipeline.assembly import blocks as blocks_of
from pipeline.assembly import level_meter, room_tone
from pipeline.assembly.dynamics import compressed
from pipeline.assembly.limiter import limit
from pipeline.assembly.listening import listen
from pipeline.assembly.profiles import Profile
from pipeline.audio.clip import Samples
from pipeline.errors import StorageError

#: Makes the stitched stream from its beginning.
BlocksFactory = Callable[[], Iterator[Samples]]
#: Told how much is done, 0 … 1.
Progress = Callable[[float], None]

#: How often the master is written before its level is accepted as it is.
MAX_WRITES = 4
#: The master may miss its target by this share of the profile's tolerance, and by no more than …
TOLERANCE_SHARE = 0.25
#: … this, in dB.
MAX_MISS_DB = 0.2
#: However much the limiter takes away, the gain is never raised by more than the miss over this.
MIN_SLOPE = 0.25
BLOCK_SAMPLES = 1 << 16
#: One to hear, one to write.
USUAL_PASSES = 2


@dataclass(frozen=True, slots=True)
class Mastering:
    """A finished master."""

    path: Path
    sample_rate_hz: int
    channels: int
    #: Of each channel: the stitched length, at the master's rate, rounded.
    n_samples: int
    #: Gain after compression.
    gain_db: float
    #: In the unit of the profile's level; None where it has none.
    level_db: float | None
    n_passes: int


def master(
    blocks_factory: BlocksFactory,
    sample_rate_hz: int,
    profile: Profile,
    out: Path,
    progress: Progress | None = None,
) -> Mastering:
    """Master a stitched stream to a 24-bit FLAC file.

    Args:
        blocks_factory: Makes the stream of float32 mono blocks; called once for each pass.
        sample_rate_hz: Rate of the stream.
        profile: Says what the master must be.
        out: Where it is written; what is there is lost.
        progress: Called often with the share of the work that is done.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    return _Master(blocks_factory, sample_rate_hz, profile, out, progress).make()


class _Master:
    """The passes of one master."""

    def __init__(
        self,
        factory: BlocksFactory,
        rate_in_hz: int,
        profile: Profile,
        out: Path,
        progress: Progress | None,
    ) -> None:
        self._factory, self._profile, self._out = factory, profile, out
        self._rate_in_hz = rate_in_hz
        self._rate_hz = profile.sample_rate_hz or rate_in_hz
        self._progress = progress or (lambda _share: None)
        self._n_in, self._n_done, self._n_passes = 0, 0, 0
        self._pre_gain_db = 0.0

    def make(self) -> Mastering:
        level = self._profile.level
        whole = blocks_of.of_size(self._factory(), BLOCK_SAMPLES)
        heard = listen(whole, self._rate_in_hz, level)
        self._n_in = self._n_done = heard.n_samples
        self._n_passes = 1
        if level is None:
            return self._write(0.0)  # as loud as the engine made it
        self._pre_gain_db = heard.gain_db()
        target_db = level.target_db
        accepted_db = min(MAX_MISS_DB, level.tolerance_db * TOLERANCE_SHARE)
        gain_db, slope = target_db - heard.compressed_db(level, self._profile.channels), 1.0
        made = self._write(gain_db)
        for _ in range(MAX_WRITES - 1):
            level_db = made.level_db or 0.0
            if abs(target_db - level_db) <= accepted_db:
                break
            gain_db += (target_db - level_db) / slope
            before, made = made, self._write(gain_db)
            slope = _slope(before, made)
        self._progress(1.0)
        return made

    def _counted(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            self._n_done += len(block)
            self._progress(min(1.0, self._n_done / max(1, USUAL_PASSES * self._n_in)))
            yield block

    def _write(self, gain_db: float) -> Mastering:
        profile, level = self._profile, self._profile.level
        meter = level_meter.make(level, self._rate_hz, profile.channels) if level else None
        n_samples = 0
        with _flac(self._out, self._rate_hz, profile.channels) as file:
            for block in self._finished(gain_db):
                if meter:
                    meter.add(block)
                n_samples += len(block)
                file.write(np.repeat(block[:, None], profile.channels, axis=1))
        _require_whole(self._out, n_samples)
        return Mastering(
            path=self._out,
            sample_rate_hz=self._rate_hz,
            channels=profile.channels,
            n_samples=n_samples,
            gain_db=gain_db,
            level_db=meter.level_db() if meter else None,
            n_passes=self._n_passes,
        )

    def _finished(self, gain_db: float) -> Iterator[Samples]:
        """Yield the master, one channel of it, exactly as long as it must be."""
        self._n_passes += 1
        profile, stream = self._profile, self._counted(self._factory())
        if profile.level is None:
            return _resampled(stream, self._rate_in_hz, self._rate_hz)

        blocks = compressed(stream, self._rate_in_hz, self._pre_gain_db, gain_db)
        blocks = _resampled(blocks, self._rate_in_hz, self._rate_hz)
        if profile.room_tone_db is not None:
            blocks = room_tone.add(blocks, profile.room_tone_db, self._rate_hz)
        return limit(blocks, profile.master_ceiling_db, self._rate_hz)


def _slope(before: Mastering, after: Mastering) -> float:
    """Return how much of a gain arrives as level: the limiter takes the rest."""
    arrived_db = (after.level_db or 0.0) - (before.level_db or 0.0)
    return min(1.0, max(MIN_SLOPE, arrived_db / (after.gain_db - before.gain_db)))


def _resampled(blocks: Iterator[Samples], rate_in_hz: int, rate_hz: int) -> Iterator[Samples]:
    """Yield the stream at another rate: as long, to the rounded sample, and not shifted."""
    if rate_in_hz == rate_hz:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate_in_hz, rate_hz, 1, dtype="float32", quality="HQ")
    n_in = n_out = 0
    for block in blocks_of.of_size(blocks, BLOCK_SAMPLES):
        n_in += len(block)
        made = resampler.resample_chunk(block)
        n_out += len(made)
        yield made
    last = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    n_missing = round(n_in * rate_hz / rate_in_hz) - n_out
    yield np.pad(last[:n_missing], (0, max(0, n_missing - len(last))))


@contextmanager
def _flac(path: Path, sample_rate_hz: int, channels: int) -> Iterator[soundfile.SoundFile]:
    """Open a 24-bit FLAC file to write."""
    try:
        with soundfile.SoundFile(
            path, "w", sample_rate_hz, channels, format="FLAC", subtype="PCM_24"
        ) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise StorageError(
            f"{path} cannot be written: {error}. Make room or choose another folder."
        ) from error


def _require_whole(path: Path, n_samples: int) -> None:
    """Make sure that all was written: a full disk may show only when the file is closed."""
    try:
        n_written = soundfile.info(path).frames
    except soundfile.LibsndfileError:
        n_written = 0
    if n_written != n_samples:
        raise StorageError(f"{path} was not written whole. Make room on the disk and run again.")
