"""A file becomes a Script."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml

from pipeline.errors import InputError
from pipeline.manifest.script import Block, Chapter, Script, Source
from pipeline.reading import (
    archive,
    cues,
    dialogue,
    encoding,
    epub,
    fb2,
    inlines,
    language,
    matter,
    metadata,
    outline,
    pandoc,
    plain,
    sniff,
)
from pipeline.reading import text as texts
from pipeline.reading.blocks import Flattened, Flattener
from pipeline.reading.draft import About, Draft, Part, Section
from pipeline.reading.marks import MarkReader
from pipeline.reading.markup import tidy

Choice = Literal["speak", "skip"]
#: A character takes at most this many bytes.
_BYTES_PER_CHAR = 4
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read."""

    #: "auto", or a BCP 47 primary tag that overrides what the file says.
    language: str = "auto"
    #: "2-4,7": chapters to read, counted from 1; None for all.
    chapters: str | None = None
    footnotes: Choice = "skip"
    tables: Choice = "speak"
    #: Longer texts are refused.
    max_chars: int = 20_000_000
    #: Override what the file says.
    title: str | None = None
    author: str | None = None


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
    draft = _draft(path, data, source_format, options)
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


def _draft(path: Path, data: bytes, source_format: str, options: ReadOptions) -> Draft:
    if not data.strip():
        raise InputError(path, "The file is empty.", remedy="Give a file with text in it.")
    if source_format == "epub":
        return _epub(path, data, options)
    if source_format in sniff.ZIPPED:
        return _office(path, data, source_format, options)
    text, name = encoding.decode(data, path)
    draft = _text(path, text, source_format, options)
    if name.startswith("utf"):
        return draft
    return replace(draft, notes=(f"Read as {name}; the file is not UTF-8.", *draft.notes))


def _text(path: Path, text: str, source_format: str, options: ReadOptions) -> Draft:
    if source_format == "text":
        return plain.read(text)
    if source_format in ("srt", "vtt"):
        return cues.read(text, path)
    if source_format == "html":
        return _html(path, text, options)
    if source_format == "fb2":
        text = re.sub(r"^\s*<\?xml.*?\?>", "", text.lstrip("\ufeff"), flags=re.DOTALL)
        prepared, n_tables = fb2.without_tables(text, speak=options.tables == "speak")
        draft, _ = _parsed(path, prepared.encode(), "fb2", options)
        notes = (f"Skipped {n_tables} tables.",) if n_tables else ()
        draft = replace(draft, notes=(*notes, *draft.notes))
        return replace(draft, about=metadata.of_fb2(text.encode(), path))
    about = About()
    if source_format == "markdown":
        text, about = _front_matter(texts.strip_invisible(text))
    draft, tree = _parsed(path, text.encode(), source_format, options)
    said = _meta(tree)
    return replace(draft, about=_either(about, said))


def _html(path: Path, text: str, options: ReadOptions) -> Draft:
    page = tidy(text)
    draft, _ = _parsed(path, page.body.encode(), "html", options)
    notes = ("Skipped the Project Gutenberg licence.",) if page.n_licences else ()
    about = About(page.title, page.author, page.language)
    return replace(draft, about=about, notes=(*notes, *draft.notes))


def _epub(path: Path, data: bytes, options: ReadOptions) -> Draft:
    book = epub.read(path, data)
    draft, _ = _parsed(path, book.html.encode(), "html", options)
    notes = ("Skipped the Project Gutenberg licence.",) if book.n_licences else ()
    return replace(
        draft,
        about=book.package.about,
        outline=epub.outline(book, draft.parts),
        matter=epub.front_matter(book, draft.parts),
        notes=(*notes, *draft.notes),
    )


def _office(path: Path, data: bytes, source_format: str, options: ReadOptions) -> Draft:
    opened = archive.open_checked(path, data)
    about = metadata.of_archive(opened, source_format, path)
    draft, tree = _parsed(path, archive.repack(opened, path), source_format, options)
    return replace(draft, about=_either(about, _meta(tree)))


def _parsed(
    path: Path, data: bytes, source_format: str, options: ReadOptions
) -> tuple[Draft, pandoc.Node]:
    tree = pandoc.parse(data, source_format, path)
    flattener = Flattener(
        speak_footnotes=options.footnotes == "speak", speak_tables=options.tables == "speak"
    )
    try:
        flat = flattener.flatten(tree["blocks"])
    except RecursionError as error:
        problem, remedy = "Its parts are nested too deeply.", "Save it again in a simpler form."
        raise InputError(path, problem, remedy=remedy) from error
    notes = _omissions(flat, options)
    return Draft(About(), tuple(flat.parts), notes=notes), tree["meta"]


def _omissions(flat: Flattened, options: ReadOptions) -> tuple[str, ...]:
    notes = []
    if flat.n_footnotes and options.footnotes == "skip":
        notes.append(f"Skipped {flat.n_footnotes} footnotes.")
    if flat.n_tables:
        notes.append(f"Skipped {flat.n_tables} tables.")
    if flat.n_formulas:
        notes.append(f"{flat.n_formulas} formulas are spoken as they are written.")
    return tuple(notes)


def _front_matter(text: str) -> tuple[str, About]:
    """Split off YAML at the head of Markdown; elsewhere `---` is a scene break."""
    found = _FRONT_MATTER.match(text)
    if not found:
        return text, About()
    try:
        fields = yaml.safe_load(found[1])
    except yaml.YAMLError:
        fields = None
    if not isinstance(fields, dict):
        return text, About()
    said = {key: fields.get(key) for key in ("title", "author", "lang", "language")}
    values = {key: _unmarked(str(value)) for key, value in said.items() if value}
    about = About(
        values.get("title"), values.get("author"), values.get("lang") or values.get("language")
    )
    return text[found.end() :], about


def _unmarked(text: str) -> str:
    """Return a line of Markdown without its emphasis."""
    return texts.clean(re.sub(r"(\*{1,3}|_{1,3}|`)(\S.*?)\1", r"\2", text))


def _meta(meta: pandoc.Node) -> About:
    title, author, lang = (_meta_text(meta.get(key)) for key in ("title", "author", "lang"))
    return About(title, author, lang)


def _meta_text(value: pandoc.Node | None) -> str | None:
    if value is None:
        return None
    if value["t"] == "MetaList":
        found = [text for item in value["c"] if (text := _meta_text(item))]
        return ", ".join(found) or None
    content = value["c"]
    text = content if isinstance(content, str) else ""
    if value["t"] == "MetaInlines":
        text = inlines.plain(content)
    return texts.clean(text) or None


def _either(first: About, second: About) -> About:
    return About(
        first.title or second.title,
        first.author or second.author,
        first.language or second.language,
        first.cover or second.cover,
    )


def _lone_title(parts: tuple[Part, ...]) -> str | None:
    """Return the first heading, if it stands above all others."""
    headings = [part for part in parts if part.kind == "heading"]
    if not headings:
        return None
    is_lone = all(part.level > headings[0].level for part in headings[1:])
    is_chapter = plain.HEADING.fullmatch(texts.clean(headings[0].text))
    return texts.clean(headings[0].text) if is_lone and not is_chapter else None


def _stem(path: Path) -> str:
    return texts.clean(path.stem.replace("_", " ")) or "Untitled"


def _script(path: Path, draft: Draft, about: About, options: ReadOptions, source: Source) -> Script:
    found = matter.label(
        outline.sections(draft, about.title or ""), f"{about.title} {about.author or ''}"
    )
    kept = [section for section in found if not section.skipped_as]
    spoken = "\n".join(part.text for section in kept for part in section.parts)
    if not texts.has_words(spoken):
        raise InputError(path, "There are no words in it.", remedy="Give a file with text in it.")
    if len(spoken) > options.max_chars:
        raise _too_long(path, len(spoken), options.max_chars)
    tag = language.primary(options.language) if options.language != "auto" else None
    tag = tag or language.decide(about.language, spoken)
    is_fixed = options.language != "auto"
    reader = MarkReader(path)
    every = [_chapter(one, reader, tag, is_fixed) for one in dialogue.assign(kept)]
    chapters = [chapter for chapter in every if _is_spoken(chapter)]
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


def _chapter(section: Section, reader: MarkReader, tag: str, is_fixed: bool) -> Chapter:
    blocks = []
    for part in _trimmed(section.parts):
        spans = reader.spans(part) if part.kind != "scene_break" else ()
        if spans or part.kind == "scene_break":
            own = None if is_fixed or part.language == tag else part.language
            blocks.append(Block(kind=part.kind, spans=spans, place=part.place, language=own))
    return Chapter(title=section.title, blocks=tuple(blocks))


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Drop scene breaks where there is no scene on one side."""
    spoken = [index for index, part in enumerate(parts) if part.kind != "scene_break"]
    return parts[spoken[0] : spoken[-1] + 1] if spoken else ()


def _is_spoken(chapter: Chapter) -> bool:
    return any(texts.has_words(block.text) for block in chapter.blocks)


def _skipped(sections: list[Section]) -> list[str]:
    counts = Counter(section.skipped_as for section in sections if section.skipped_as)
    return [
        f"Skipped {what}{f' ({count} parts)' if count > 1 else ''}."
        for what, count in counts.items()
    ]


def _too_long(path: Path, n_chars: int, max_chars: int) -> InputError:
    return InputError(
        path,
        f"The text has {n_chars:,} characters or more, above the limit of {max_chars:,}.",
        remedy="Split it, or raise VOXMILL_MAX_SCRIPT_CHARS.",
    )
