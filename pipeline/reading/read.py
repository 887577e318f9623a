"""A file becomes a Script."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pipeline.errors import InputError
from pipeline.manifest.script import Block, Chapter, Script, Source
from pipeline.reading import dialogue, formats, language, matter, notes, outline, sniff
from pipeline.reading import text as texts
from pipeline.reading.draft import About, Draft, Part, Section
from pipeline.reading.headings import HEADING
from pipeline.reading.marks import MarkReader
from pipeline.reading.options import ReadOptions

__all__ = ["ReadOptions", "read_script"]

#: A character takes at most this many bytes.
_BYTES_PER_CHAR = 4


def read_script(path: Path, options: ReadOptions) -> Script:
    """Read a file.

    Raises:
        InputError: The file cannot be used; says why, where, and what to do.
        RequestError: `options.chapters` names chapters that do not exist.
    """
    data = _load(path)
    source_format = sniff.sniff(path, data)
    if source_format not in sniff.ZIPPED and len(data) > _BYTES_PER_CHAR * options.max_chars:
        raise _too_long(path, len(data) // _BYTES_PER_CHAR, options.max_chars)
    draft = formats.draft(path, data, source_format, options)
    about = replace(
        draft.about,
        title=options.title or draft.about.title or _lone_title(draft.parts) or _stem(path),
        author=options.author or draft.about.author,
    )
    return _script(path, draft, about, options, _source(path, data, source_format))


def _load(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        problem, remedy = "There is no such file.", "Check the path."
        raise InputError(path, problem, remedy=remedy) from error
    except IsADirectoryError as error:
        problem, remedy = "This is a folder.", "Give the files inside it."
        raise InputError(path, problem, remedy=remedy) from error
    except OSError as error:
        problem = f"It cannot be read ({error.strerror})."
        raise InputError(path, problem, remedy="Check its permissions.") from error


def _source(path: Path, data: bytes, source_format: str) -> Source:
    return Source(name=path.name, sha256=hashlib.sha256(data).hexdigest(), format=source_format)


def _lone_title(parts: tuple[Part, ...]) -> str | None:
    """Return the first heading, if it stands above all others."""
    headings = [part for part in parts if part.kind == "heading"]
    if not headings:
        return None
    is_lone = all(part.level > headings[0].level for part in headings[1:])
    is_chapter = HEADING.fullmatch(texts.clean(headings[0].text))
    return texts.clean(headings[0].text) if is_lone and not is_chapter else None


def _stem(path: Path) -> str:
    return texts.clean(path.stem.replace("_", " ")) or "Untitled"


def _script(path: Path, draft: Draft, about: About, options: ReadOptions, source: Source) -> Script:
    words = f"{about.title} {about.author or ''}"
    found = matter.label(outline.sections(draft, about.title or ""), words)
    kept = [section for section in found if not section.skipped_as]
    spoken = "\n".join(part.text for section in kept for part in section.parts)
    if len(spoken) > options.max_chars:
        raise _too_long(path, len(spoken), options.max_chars)
    tag = _language(about, spoken, options)
    chapters = _chapters(path, kept, tag, options)
    if not chapters:
        raise InputError(path, "There are no words in it.", remedy="Give a file with text in it.")
    return Script(
        title=about.title or "",
        author=about.author,
        language=tag,
        chapters=tuple(matter.select(chapters, options.chapters)),
        sources=(source,),
        cover=about.cover,
        notes=(*_skipped(found), *draft.notes),
    )


def _language(about: About, spoken: str, options: ReadOptions) -> str:
    chosen = language.primary(options.language) if options.language != "auto" else None
    return chosen or language.decide(about.language, spoken)


def _chapters(path: Path, sections: list[Section], tag: str, options: ReadOptions) -> list[Chapter]:
    reader = MarkReader(path)
    is_fixed = options.language != "auto"
    turns = dialogue.assign(sections, options.speakers)
    every = [_chapter(section, reader, tag, is_fixed) for section in turns]
    return [chapter for chapter in every if _is_spoken(chapter)]


def _chapter(section: Section, reader: MarkReader, tag: str, is_fixed: bool) -> Chapter:
    blocks = []
    for part in _trimmed(section.parts):
        spans = reader.spans(part) if part.kind != "scene_break" else ()
        if spans or part.kind == "scene_break":
            own = None if is_fixed or part.language == tag else part.language
            blocks.append(Block(kind=part.kind, spans=spans, place=part.place, language=own))
    return Chapter(title=section.title, blocks=tuple(blocks))


def _trimmed(parts: tuple[Part, ...]) -> list[Part]:
    """Drop scene breaks where there is no scene on one side."""
    kept: list[Part] = []
    for part in parts:
        if part.kind != "scene_break" or (kept and kept[-1].kind != "scene_break"):
            kept.append(part)
    return kept[:-1] if kept and kept[-1].kind == "scene_break" else kept


def _is_spoken(chapter: Chapter) -> bool:
    return any(texts.has_words(block.text) for block in chapter.blocks)


def _skipped(sections: list[Section]) -> tuple[str, ...]:
    return notes.skipped(section.skipped_as for section in sections if section.skipped_as)


def _too_long(path: Path, n_chars: int, max_chars: int) -> InputError:
    return InputError(
        path,
        f"The text has {n_chars:,} characters or more, above the limit of {max_chars:,}.",
        remedy="Split it, or raise VOXMILL_MAX_SCRIPT_CHARS.",
    )
