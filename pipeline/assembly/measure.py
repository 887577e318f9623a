"""What a finished file measures: one decoding pass over what will be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mutagen
from mutagen.mp3 import BitrateMode

from pipeline.assembly.levels import LevelMeter, decibels
from pipeline.assembly.loudness import LoudnessMeter, integrated_lufs
from pipeline.assembly.true_peak import TruePeakMeter
from pipeline.audio.probe import AudioStream, decoded, probe


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures of an encoded file."""

    codec: str
    sample_rate_hz: int
    channels: int
    #: None where the file does not say.
    bitrate_kbps: int | None
    #: Known for MP3 only.
    is_constant_bitrate: bool | None
    duration_s: float
    integrated_lufs: float
    true_peak_db: float
    sample_peak_db: float
    rms_db: float
    #: RMS of the quietest half second.
    noise_floor_db: float
    head_s: float
    tail_s: float


def measure(path: Path) -> Measurement:
    """Decode a file once and return its figures; memory does not grow with its length.

    Raises:
        InputError: It is not a mono or stereo audio file.
        PermanentError: It cannot be decoded to its end.
    """
    stream = probe(path)
    levels = LevelMeter(stream.sample_rate_hz)
    loudness = [LoudnessMeter(stream.sample_rate_hz) for _ in range(stream.channels)]
    true_peaks = [TruePeakMeter() for _ in range(stream.channels)]
    for block in decoded(path, stream):
        levels.add(block)
        for channel in range(stream.channels):
            loudness[channel].add(block[:, channel])
            true_peaks[channel].add(block[:, channel])
    return Measurement(
        codec=stream.codec,
        sample_rate_hz=stream.sample_rate_hz,
        channels=stream.channels,
        bitrate_kbps=stream.bitrate_kbps,
        is_constant_bitrate=_is_constant_bitrate(path, stream),
        duration_s=levels.duration_s,
        integrated_lufs=integrated_lufs([meter.powers() for meter in loudness]),
        true_peak_db=decibels(max(meter.peak() for meter in true_peaks) ** 2),
        sample_peak_db=levels.peak_db,
        rms_db=levels.rms_db,
        noise_floor_db=levels.noise_floor_db,
        head_s=levels.head_s,
        tail_s=levels.tail_s,
    )


def _is_constant_bitrate(path: Path, stream: AudioStream) -> bool | None:
    if stream.codec != "mp3":
        return None
    file = mutagen.File(path)
    return file is not None and file.info.bitrate_mode == BitrateMode.CBR
