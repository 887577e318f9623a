"""What a finished file holds, read back from the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from mutagen import oggopus

from pipeline.assembly.delivery.mp3_length import mp3_length
from pipeline.errors import CorruptObjectError
from pipeline.manifest.timeline import TimedChapter

#: Our names of the tags, by FFmpeg's.
TAG_NAMES = {
    "title": "title",
    "artist": "author",
    "album": "album",
    "album_artist": "album author",
    "composer": "narrator",
    "genre": "genre",
    "track": "track",
    "date": "year",
    "comment": "comment",
    "description": "description",
    "publisher": "publisher",
    "copyright": "publisher",
    "language": "language",
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a finished file says of itself."""

    duration_s: float
    sample_rate_hz: int
    channels: int
    codec: str
    #: By our names (`TAG_NAMES`): those that are there.
    tags: Mapping[str, str]
    chapters: tuple[TimedChapter, ...]
    has_cover: bool


def inspect(path: Path) -> Inspection:
    """Read the headers of a finished file; its audio is not decoded.

    Raises:
        CorruptObjectError: It is not a readable audio file.
    """
    try:
        with av.open(str(path)) as container:
            return _inspected(path, container)
    except (av.FFmpegError, IndexError) as error:
        raise CorruptObjectError(
            f"{path}: not a readable audio file ({error}). Delete it and render again."
        ) from error


def _inspected(path: Path, container: InputContainer) -> Inspection:
    audio = container.streams.audio[0]
    # Ogg keeps its comments with the stream, the others with the file.
    found = {key.lower(): value for key, value in (audio.metadata | container.metadata).items()}
    return Inspection(
        duration_s=_duration_s(path, container),
        sample_rate_hz=audio.codec_context.sample_rate,
        channels=audio.codec_context.channels,
        codec=audio.codec_context.name,
        tags={TAG_NAMES[key]: found[key] for key in TAG_NAMES if key in found},
        chapters=_chapters(container),
        has_cover=any(
            stream.disposition & Disposition.attached_pic for stream in container.streams.video
        ),
    )


def _duration_s(path: Path, container: InputContainer) -> float:
    if container.format.name == "mp3":
        return mp3_length(path)
    if container.format.name == "ogg":
        # The container counts the samples that the decoder throws away at the start.
        info = oggopus.OggOpus(path).info
        assert info is not None
        return float(info.length)
    audio = container.streams.audio[0]
    if audio.duration is None or audio.time_base is None:
        return (container.duration or 0) / av.time_base
    return float(audio.duration * audio.time_base)


def _chapters(container: InputContainer) -> tuple[TimedChapter, ...]:
    chapters = (
        TimedChapter(
            title=chapter["metadata"].get("title", ""),
            start_s=_seconds(chapter["start"], chapter["time_base"]),
            end_s=_seconds(chapter["end"], chapter["time_base"]),
        )
        for chapter in container.chapters()
    )
    return tuple(sorted(chapters, key=lambda chapter: chapter.start_s))


def _seconds(ticks: int, time_base: Fraction | None) -> float:
    return float(ticks * time_base) if time_base else 0.0
