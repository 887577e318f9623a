"""Delivery profiles: what a finished file must measure, and how we get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: A mono file played on two loudspeakers sounds, and measures, this much louder.
DUAL_MONO_DB = 3.01


@dataclass(frozen=True, slots=True)
class Level:
    """The loudness a file must have, within a tolerance."""

    #: "lufs": integrated loudness (ITU-R BS.1770-4); "rms": plain RMS level over the whole file.
    kind: Literal["lufs", "rms"]
    target_db: float
    tolerance_db: float

    def for_channels(self, channels: int, profile_channels: int) -> float:
        """Return the target for a file with another number of channels than the profile's.

        Loudness adds up the channels, so the same sound measures 3 LU less in mono.
        """
        if self.kind == "rms" or channels == profile_channels:
            return self.target_db
        return self.target_db + (DUAL_MONO_DB if channels > profile_channels else -DUAL_MONO_DB)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest level a file may reach."""

    #: "true": between the samples too, in dBTP; "sample": the samples alone, in dBFS.
    kind: Literal["true", "sample"]
    max_db: float


@dataclass(frozen=True, slots=True)
class Range:
    """From … to, both included, in seconds."""

    min_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of delivery asks for."""

    name: str
    #: For `--help` and the documentation.
    summary: str
    #: None keeps the engine's rate.
    sample_rate_hz: int | None
    channels: int
    #: None leaves the level as the engine made it.
    level: Level | None
    peak: Peak | None
    #: Ceiling of the master, in dBTP: below the peak allowed, because lossy encoders overshoot.
    master_ceiling_db: float
    #: Largest level of the quietest half second, in dBFS.
    noise_floor_db: float | None = None
    #: Level of the room tone under the whole file, in dBFS; None for none.
    room_tone_db: float | None = None
    #: Quiet before the first word and after the last.
    head_s: float = 0.5
    tail_s: float = 1.0
    #: What is accepted, where the profile says.
    head_range: Range | None = None
    tail_range: Range | None = None
    max_minutes: float | None = None
    #: Whether speech is compressed before its level is set.
    is_compressed: bool = True
    #: One file for each chapter rather than one for the book.
    is_per_chapter: bool = False
    #: Formats made when the user names none.
    formats: tuple[str, ...] = ("m4b",)
    #: Bit rate of each lossy format, in kbit/s.
    bitrates_kbps: Mapping[str, int] = field(default_factory=dict)
    #: Formats that must have a constant bit rate of at least what `bitrates_kbps` says.
    constant_bitrate: tuple[str, ...] = ()


AUDIOBOOK = Profile(
    name="audiobook",
    summary="one M4B with chapters, -18 LUFS",
    sample_rate_hz=44_100,
    channels=1,
    level=Level("lufs", -18.0, 0.5),
    peak=Peak("true", -1.5),
    master_ceiling_db=-3.0,
    tail_s=2.0,
    formats=("m4b",),
    bitrates_kbps={"m4b": 80, "mp3": 128, "opus": 48},
)

PODCAST = Profile(
    name="podcast",
    summary="one stereo MP3, -16 LUFS",
    sample_rate_hz=44_100,
    channels=2,
    level=Level("lufs", -16.0, 0.5),
    peak=Peak("true", -1.0),
    master_ceiling_db=-2.5,
    formats=("mp3",),
    bitrates_kbps={"m4b": 128, "mp3": 128, "opus": 96},
)

ACX = Profile(
    name="acx",
    summary="one MP3 a chapter that meets the ACX technical numbers",
    sample_rate_hz=44_100,
    channels=1,
    level=Level("rms", -20.5, 2.5),
    peak=Peak("sample", -3.0),
    master_ceiling_db=-4.0,
    noise_floor_db=-60.0,
    room_tone_db=-72.0,
    head_s=0.75,
    tail_s=2.0,
    head_range=Range(0.5, 1.0),
    tail_range=Range(1.0, 5.0),
    max_minutes=120.0,
    is_per_chapter=True,
    formats=("mp3",),
    bitrates_kbps={"m4b": 128, "mp3": 192, "opus": 96},
    constant_bitrate=("mp3",),
)

BROADCAST = Profile(
    name="broadcast",
    summary="one stereo WAV, EBU R 128: -23 LUFS",
    sample_rate_hz=48_000,
    channels=2,
    level=Level("lufs", -23.0, 0.2),
    peak=Peak("true", -1.0),
    master_ceiling_db=-2.5,
    formats=("wav",),
    bitrates_kbps={"m4b": 192, "mp3": 256, "opus": 128},
)

RAW = Profile(
    name="raw",
    summary="the engine's own sound and rate in one FLAC, only stitched",
    sample_rate_hz=None,
    channels=1,
    level=None,
    peak=None,
    master_ceiling_db=0.0,
    head_s=0.25,
    tail_s=0.5,
    is_compressed=False,
    formats=("flac",),
    bitrates_kbps={"m4b": 96, "mp3": 128, "opus": 64},
)

#: Every profile by name, the default first.
PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (AUDIOBOOK, PODCAST, ACX, BROADCAST, RAW)
}
