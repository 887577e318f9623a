"""A short piece of mono audio in memory: one take, one reference clip. Never a whole book."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from pipeline.errors import CorruptObjectError

Samples = npt.NDArray[np.float32]


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
