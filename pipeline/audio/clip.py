"""A short piece of mono audio in memory: one take, one reference clip. Never a whole book."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from pipeline.errors import CorruptObjectError

Samples = npt.NDArray[np.float32]

#: Where a FLAC file keeps the MD5 of its samples (RFC 9639, section 8.2).
FLAC_MD5 = slice(26, 42)


@dataclass(frozen=True, slots=True)
class Clip:
    """Mono audio, float32 in [-1, 1], shape [T]."""

    samples: Samples
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    def resampled(self, sample_rate_hz: int) -> Clip:
        """Return the clip at another rate, band-limited."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        samples = soxr.resample(self.samples, self.sample_rate_hz, sample_rate_hz, quality="HQ")
        return Clip(samples.astype(np.float32, copy=False), sample_rate_hz)


def encode_flac(clip: Clip) -> bytes:
    """Return the clip as 16-bit FLAC: the same samples always give the same bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples, clip.sample_rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode(data: bytes) -> Clip:
    """Read an audio file held in memory; several channels are averaged.

    Raises:
        CorruptObjectError: The bytes are not a readable audio file.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorruptObjectError(f"Not a readable audio file: {error}.") from error
    return Clip(np.ascontiguousarray(samples.mean(axis=1)), int(rate))


def is_sound_flac(data: bytes) -> bool:
    """Tell whether a FLAC file decodes to the samples whose MD5 its header carries."""
    if data[:4] != b"fLaC":
        return False
    try:
        samples, _ = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    except soundfile.LibsndfileError:
        return False
    return hashlib.md5(samples.astype("<i2").tobytes()).digest() == data[FLAC_MD5]  # noqa: S324
