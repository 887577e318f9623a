"""What an audio file says about itself: codec, rate, channels, bit rate."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.clip import Samples
from pipeline.errors import InputError

#: One audio stream in ffmpeg's log: codec, rate, channels, and the rest of the line.
STREAM = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+).*?, (\d+) Hz, ([^,]+)(.*)")
BITRATE = re.compile(r"(\d+) kb/s")
CHANNELS = {"mono": 1, "stereo": 2}
#: Samples of each channel in a block of decoded audio.
BLOCK_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class AudioStream:
    """The audio of a file, as its header describes it."""

    #: ffmpeg's name: "aac", "mp3", "opus", "flac", "pcm_s16le" …
    codec: str
    sample_rate_hz: int
    channels: int
    #: None where the file does not say.
    bitrate_kbps: int | None


def probe(path: Path) -> AudioStream:
    """Read the header of a mono or stereo file.

    Raises:
        InputError: There is no audio in it, or it has more than two channels.
    """
    done = subprocess.run(ffmpeg.command("-i", path), capture_output=True, check=False)
    log = done.stderr.decode(errors="replace")
    found = STREAM.search(log)
    if found is None or found[3].strip() not in CHANNELS:
        raise InputError(
            path, "not a mono or stereo audio file.", remedy="Delete it and render again."
        )
    bitrate = BITRATE.search(found[4])
    return AudioStream(
        codec=found[1],
        sample_rate_hz=int(found[2]),
        channels=CHANNELS[found[3].strip()],
        bitrate_kbps=int(bitrate[1]) if bitrate else None,
    )


def decoded(path: Path, stream: AudioStream) -> Iterator[Samples]:
    """Yield the audio of a file as float32 blocks, shape [T, C], at its own rate.

    Raises:
        PermanentError: The file cannot be decoded to its end.
    """
    arguments: list[str | Path] = ["-xerror", "-i", path, "-map", "0:a:0", "-f", "f32le", "pipe:1"]
    frame_bytes = 4 * stream.channels
    for block in ffmpeg.stream(arguments, block_bytes=BLOCK_SAMPLES * frame_bytes):
        yield np.frombuffer(block, np.float32).reshape(-1, stream.channels)
