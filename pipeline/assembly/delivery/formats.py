"""The audio formats and how ffmpeg makes each from a master."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A finished format."""

    name: str
    #: ffmpeg's arguments for codec and container.
    arguments: tuple[str, ...]
    #: Samples in a codec frame, by which the length may differ from the master's.
    frame: int
    #: For speech in one channel, when the profile does not say; None for lossless formats.
    bitrate_kbps: int | None = None


#: 16 bits from a 24-bit master, with dither so that quiet tails do not turn into distortion.
TO_16_BIT = ("-af", "aresample=osf=s16:dither_method=triangular")

FORMATS: Mapping[str, AudioFormat] = MappingProxyType(
    {
        "m4b": AudioFormat(
            "m4b",
            # The fast coder takes half the time; DNSMOS finds no difference in speech.
            ("-c:a", "aac", "-aac_coder", "fast",
             "-f", "ipod", "-brand", "M4B ", "-movflags", "+faststart"),
            frame=1024,
            bitrate_kbps=64,
        ),
        "mp3": AudioFormat(
            "mp3",
            # ID3 is written afterwards: ffmpeg's chapters lack a table of contents.
            ("-c:a", "libmp3lame", "-abr", "0", "-f", "mp3", "-write_xing", "1",
             "-id3v2_version", "0", "-write_id3v1", "0"),
            frame=1152,
            bitrate_kbps=96,
        ),
        "opus": AudioFormat(
            "opus",
            ("-c:a", "libopus", "-application", "audio", "-ar", "48000", "-f", "opus"),
            frame=960,
            bitrate_kbps=40,
        ),
        "flac": AudioFormat(
            "flac",
            (*TO_16_BIT, "-c:a", "flac", "-compression_level", "5", "-f", "flac"),
            frame=1,
        ),
        # A RIFF header counts to 4 GB; RF64 takes over above that.
        "wav": AudioFormat(
            "wav",
            (*TO_16_BIT, "-c:a", "pcm_s16le", "-f", "wav", "-rf64", "auto"),
            frame=1,
        ),
    }
)  # fmt: skip

#: LAME multiplies its input by this from each bit rate (kbit/s) on, and below by the last one.
LAME_SCALES = ((256, 1.0), (224, 0.98), (192, 0.97))
LAME_LOWEST_SCALE = 0.95
#: Below this sample rate an MP3 is of the kind (MPEG-2) that ends at 160 kbit/s.
MPEG_1_HZ = 32_000


def level_gain(format_name: str, bitrate_kbps: int | None, sample_rate_hz: int) -> float:
    """Return the factor that makes up for the level the encoder takes away by itself."""
    if format_name != "mp3":
        return 1.0
    if sample_rate_hz < MPEG_1_HZ:
        return 1 / LAME_LOWEST_SCALE
    asked = bitrate_kbps or FORMATS["mp3"].bitrate_kbps or 0
    return 1 / next((scale for least, scale in LAME_SCALES if asked >= least), LAME_LOWEST_SCALE)
