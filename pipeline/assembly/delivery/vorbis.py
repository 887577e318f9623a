"""Comments of FLAC and Opus files: names, chapters right to the millisecond, cover.

ffmpeg 5.1 writes the chapters of an Opus file up to a second late and drops those of a FLAC file;
so it is never asked to.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

from mutagen import flac, oggopus

from pipeline.assembly.delivery.metadata import Metadata
from pipeline.assembly.subtitles.clock import clock
from pipeline.manifest.script import Cover
from pipeline.manifest.timeline import TimedChapter

FRONT_COVER = 3


def write_flac(path: Path, metadata: Metadata, chapters: Sequence[TimedChapter]) -> None:
    """Write the comments and the cover of a FLAC file."""
    file = flac.FLAC(path)
    _write_comments(file, metadata, chapters)
    file.clear_pictures()
    if metadata.cover:
        file.add_picture(_picture(metadata.cover))
    file.save()


def write_opus(path: Path, metadata: Metadata, chapters: Sequence[TimedChapter]) -> None:
    """Write the comments and the cover of an Opus file."""
    file = oggopus.OggOpus(path)
    _write_comments(file, metadata, chapters)
    if metadata.cover:
        picture = base64.b64encode(_picture(metadata.cover).write()).decode("ascii")
        file["METADATA_BLOCK_PICTURE"] = picture
    file.save()


def _write_comments(
    file: flac.FLAC | oggopus.OggOpus, metadata: Metadata, chapters: Sequence[TimedChapter]
) -> None:
    for key, value in (*_names(metadata), *_chapters(chapters)):
        file[key] = value


def _names(metadata: Metadata) -> Iterator[tuple[str, str]]:
    number, count = metadata.track or (None, None)
    named = {
        "TITLE": metadata.title,
        "ARTIST": metadata.author,
        "ALBUM": metadata.album or metadata.title,
        "ALBUMARTIST": metadata.author,
        "COMPOSER": metadata.narrator,
        "NARRATOR": metadata.narrator,
        "GENRE": metadata.genre,
        "TRACKNUMBER": number,
        "TRACKTOTAL": count,
        "DATE": metadata.year,
        "PUBLISHER": metadata.publisher,
        "LANGUAGE": metadata.language,
        "DESCRIPTION": metadata.description,
        "COMMENT": metadata.comment,
    }
    return ((key, str(value)) for key, value in named.items() if value)


def _chapters(chapters: Sequence[TimedChapter]) -> Iterator[tuple[str, str]]:
    for index, chapter in enumerate(chapters):
        yield f"CHAPTER{index:03}", clock(round(chapter.start_s * 1000), ".")
        yield f"CHAPTER{index:03}NAME", chapter.title


def _picture(cover: Cover) -> flac.Picture:
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = FRONT_COVER, cover.media_type, cover.data
    return picture
