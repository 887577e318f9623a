"""Delivery profiles: what a finished file must measure, and how we get there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the command line reads the profiles, and must start without audio libraries
    from pipeline.assembly.measure import Measurement

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
    #: Numbers of channels a file may have as well.
    other_channels: tuple[int, ...] = field(default=(), kw_only=True)
    #: None leaves the sound as the engine made it; else it is compressed, and its level set.
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
    other_channels=(1,),
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
    formats=("flac",),
    bitrates_kbps={"m4b": 96, "mp3": 128, "opus": 64},
)

#: Every profile by name, the default first.
PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (AUDIOBOOK, PODCAST, ACX, BROADCAST, RAW)
}

#: What ffmpeg calls the codec of each format; WAV holds one of several kinds of PCM.
CODECS = {"m4b": "aac", "mp3": "mp3", "opus": "opus", "flac": "flac", "wav": "pcm"}
#: Opus knows this rate only.
OPUS_HZ = 48_000
#: Times are measured in frames of 10 ms, at a level that decides where speech begins.
TIME_SLACK_S = 0.02


def check(measured: Measurement, profile: Profile, format_name: str) -> tuple[str, ...]:
    """Return how an encoded file misses its profile, with figures and limits; empty if it meets it.

    Args:
        measured: From the encoded file itself.
        profile: What it was made for.
        format_name: "m4b", "mp3", "opus", "flac" or "wav".
    """
    return (
        *_check_encoding(measured, profile, format_name),
        *_check_level(measured, profile),
        *_check_peak(measured, profile),
        *_check_quiet(measured, profile),
        *_check_length(measured, profile),
    )


def miss_db(measured: Measurement, profile: Profile) -> float:
    """Return the gain that would bring a file to the level of its profile, in dB."""
    level = profile.level
    if level is None:
        return 0.0
    found = measured.rms_db if level.kind == "rms" else measured.integrated_lufs
    return level.for_channels(measured.channels, profile.channels) - found


def _check_encoding(measured: Measurement, profile: Profile, format_name: str) -> Iterator[str]:
    if not measured.codec.startswith(CODECS[format_name]):
        yield f"the codec is {measured.codec}, must be {CODECS[format_name]}"
    rate_hz = OPUS_HZ if format_name == "opus" else profile.sample_rate_hz
    if rate_hz and measured.sample_rate_hz != rate_hz:
        yield f"the sample rate is {measured.sample_rate_hz} Hz, must be {rate_hz} Hz"
    if measured.channels not in (profile.channels, *profile.other_channels):
        yield f"it has {measured.channels} channels, must have {profile.channels}"
    if format_name in profile.constant_bitrate:
        least = profile.bitrates_kbps[format_name]
        if not measured.is_constant_bitrate:
            yield "the bit rate varies, must be constant"
        if (measured.bitrate_kbps or 0) < least:
            yield f"the bit rate is {measured.bitrate_kbps} kbit/s, must be at least {least}"


def _check_level(measured: Measurement, profile: Profile) -> Iterator[str]:
    level = profile.level
    if level is None:
        return
    target = level.for_channels(measured.channels, profile.channels)
    is_rms = level.kind == "rms"
    found = measured.rms_db if is_rms else measured.integrated_lufs
    name, unit = ("RMS level", "dB") if is_rms else ("loudness", "LUFS")
    if abs(found - target) > level.tolerance_db:
        yield (
            f"the {name} is {found:.2f} {unit}, must be {target - level.tolerance_db:.2f} … "
            f"{target + level.tolerance_db:.2f} {unit}"
        )


def _check_peak(measured: Measurement, profile: Profile) -> Iterator[str]:
    peak = profile.peak
    if peak is None:
        return
    is_true = peak.kind == "true"
    found = measured.true_peak_db if is_true else measured.sample_peak_db
    name, unit = ("true peak", "dBTP") if is_true else ("peak", "dB")
    if found > peak.max_db:
        yield f"the {name} is {found:.2f} {unit}, must be at most {peak.max_db:.2f} {unit}"


def _check_quiet(measured: Measurement, profile: Profile) -> Iterator[str]:
    floor_db = profile.noise_floor_db
    if floor_db is not None and measured.noise_floor_db > floor_db:
        yield f"the noise floor is {measured.noise_floor_db:.1f} dB, must be at most {floor_db} dB"
    for name, found_s, accepted in (
        ("before the first word", measured.head_s, profile.head_range),
        ("after the last word", measured.tail_s, profile.tail_range),
    ):
        if accepted and not (
            accepted.min_s - TIME_SLACK_S <= found_s <= accepted.max_s + TIME_SLACK_S
        ):
            yield (
                f"the quiet {name} lasts {found_s:.2f} s, must be {accepted.min_s} … "
                f"{accepted.max_s} s"
            )


def _check_length(measured: Measurement, profile: Profile) -> Iterator[str]:
    if profile.max_minutes is not None and measured.duration_s > 60 * profile.max_minutes:
        yield (
            f"it lasts {measured.duration_s / 60:.1f} minutes, must be at most "
            f"{profile.max_minutes:.0f}: split the chapter"
        )
