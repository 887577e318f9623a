"""Tags and chapters in the text form that ffmpeg reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pipeline.assembly.delivery.metadata import Metadata
from pipeline.manifest.timeline import TimedChapter


def document(tags: Mapping[str, str], chapters: Sequence[TimedChapter]) -> str:
    """Return an ffmetadata file."""
    lines = [";FFMETADATA1", *(f"{key}={_escaped(value)}" for key, value in tags.items())]
    for chapter in chapters:
        lines += _chapter(chapter)
    return "\n".join(lines) + "\n"


def mp4_tags(metadata: Metadata) -> dict[str, str]:
    """Return the tags of an M4B under ffmpeg's names for them."""
    track = f"{metadata.track[0]}/{metadata.track[1]}" if metadata.track else None
    author = metadata.author
    return _given(
        {
            "title": metadata.title,
            "artist": author,
            "album": metadata.album or metadata.title,
            "album_artist": author,
            # Players and servers look for the narrator here.
            "composer": metadata.narrator,
            "genre": metadata.genre,
            "track": track,
            "date": str(metadata.year) if metadata.year else None,
            "copyright": metadata.publisher,
            "description": metadata.description,
            "comment": metadata.comment,
            # 2 is an audiobook.
            "media_type": "2",
        }
    )


def wav_tags(metadata: Metadata) -> dict[str, str]:
    """Return the tags of a WAV file's LIST chunk under ffmpeg's names for them."""
    return _given(
        {
            "title": metadata.title,
            "artist": metadata.author,
            "album": metadata.album or metadata.title,
            "genre": metadata.genre,
            "track": str(metadata.track[0]) if metadata.track else None,
            "date": str(metadata.year) if metadata.year else None,
            "copyright": metadata.publisher,
            "language": metadata.language,
            "comment": metadata.comment,
        }
    )


def _chapter(chapter: TimedChapter) -> Iterable[str]:
    yield "[CHAPTER]"
    yield "TIMEBASE=1/1000"
    yield f"START={round(chapter.start_s * 1000)}"
    yield f"END={round(chapter.end_s * 1000)}"
    yield f"title={_escaped(chapter.title)}"


def _given(tags: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if value}


def _escaped(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    # ffmpeg takes a line that ends in a backslash as unfinished, even in an escaped one.
    value += " " if value.endswith("\\") else ""
    return re.sub(r"([=;#\\\n])", r"\\\1", value)
