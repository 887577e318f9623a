"""ID3 tags of MP3 files: names, chapters, table of contents, cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mutagen import id3
from mutagen.id3 import BitPaddedInt

from pipeline.assembly.delivery.metadata import Metadata
from pipeline.manifest.timeline import TimedChapter

#: ID3's number for text in UTF-8; mutagen turns it into UTF-16 for version 2.3.
UTF8 = 3
FRONT_COVER = 3
#: Flags of a table of contents: at the top, and its entries are in order.
TOP_LEVEL_ORDERED = 0b11
#: Byte offsets of a chapter are not given, only its times.
NO_OFFSET = 0xFFFFFFFF
#: Of a tag and of each of its frames in version 2.3.
HEADER_BYTES = 10
#: A table of contents counts its entries in one byte.
MAX_CONTENTS = 255


def write(path: Path, metadata: Metadata, chapters: Sequence[TimedChapter]) -> None:
    """Write an ID3 version 2.3 tag, which the oldest players read."""
    tags = id3.ID3()
    for frame in (*_texts(metadata), *_chapters(chapters)):
        tags.add(frame)
    if metadata.cover:
        mime, data = metadata.cover.media_type, metadata.cover.data
        tags.add(id3.APIC(encoding=UTF8, mime=mime, type=FRONT_COVER, desc="Cover", data=data))
    tags.update_to_v23()
    tags.save(path, v1=0, v2_version=3)
    _sort_chapters(path)


def _sort_chapters(path: Path) -> None:
    """Put the chapter frames, which mutagen sorts by length, into the order of the book.

    The table of contents says the order too, but many players take the frames as they come.
    """
    with path.open("r+b") as file:
        size = BitPaddedInt(file.read(HEADER_BYTES)[6:])
        frames: list[bytes] = list(_frames(file.read(size)))
        file.seek(HEADER_BYTES)
        # A stable sort: the other frames keep their order, the chapters follow them.
        frames.sort(key=_chapter_number)
        file.write(b"".join(frames))


def _frames(data: bytes) -> Iterator[bytes]:
    """Yield the frames of a version 2.3 tag as they are stored."""
    start = 0
    while start < len(data) and data[start]:
        end = start + HEADER_BYTES + int.from_bytes(data[start + 4 : start + 8], "big")
        yield data[start:end]
        start = end


def _chapter_number(frame: bytes) -> int:
    """Return the position of a chapter frame among the chapters; other frames come before all."""
    if not frame.startswith(b"CHAP"):
        return -1
    name = frame[HEADER_BYTES:].split(b"\0", 1)[0]
    return int(name.removeprefix(b"ch"))


def _texts(metadata: Metadata) -> list[id3.Frame]:
    track = f"{metadata.track[0]}/{metadata.track[1]}" if metadata.track else None
    texts: dict[Callable[..., id3.Frame], str | None] = {
        id3.TIT2: metadata.title,
        id3.TPE1: metadata.author,
        id3.TALB: metadata.album or metadata.title,
        id3.TPE2: metadata.author,
        id3.TCOM: metadata.narrator,
        id3.TCON: metadata.genre,
        id3.TRCK: track,
        id3.TDRC: str(metadata.year) if metadata.year else None,
        id3.TPUB: metadata.publisher,
        id3.TLAN: metadata.language_code,
    }
    frames: list[id3.Frame] = [
        frame(encoding=UTF8, text=[text]) for frame, text in texts.items() if text
    ]
    # Notes without a description are the ones players show.
    notes = [(metadata.comment, ""), (metadata.description, "description")]
    code = metadata.language_code
    comments = (
        id3.COMM(encoding=UTF8, lang=code, desc=name, text=[text]) for text, name in notes if text
    )
    return [*frames, *comments]


def _chapters(chapters: Sequence[TimedChapter]) -> list[id3.Frame]:
    names = [f"ch{index}" for index in range(len(chapters))]
    frames: list[id3.Frame] = [
        id3.CHAP(
            element_id=name,
            start_time=round(chapter.start_s * 1000),
            end_time=round(chapter.end_s * 1000),
            start_offset=NO_OFFSET,
            end_offset=NO_OFFSET,
            sub_frames=[id3.TIT2(encoding=UTF8, text=[chapter.title])],
        )
        for name, chapter in zip(names, chapters, strict=True)
    ]
    if names:
        contents = names[:MAX_CONTENTS]
        frames.append(
            id3.CTOC(
                element_id="toc",
                flags=TOP_LEVEL_ORDERED,
                child_element_ids=contents,
                sub_frames=[],
            )
        )
    return frames
