"""Each format as a draft."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pipeline.errors import InputError
from pipeline.reading import (
    archive,
    cues,
    encoding,
    epub,
    fb2,
    markdown,
    metadata,
    notes,
    odt,
    pandoc,
    plain,
    sniff,
)
from pipeline.reading import text as texts
from pipeline.reading.blocks import Flattened, Flattener
from pipeline.reading.draft import About, Draft
from pipeline.reading.markup import tidy
from pipeline.reading.options import ReadOptions

_CHANGES = {"odt": {"content.xml": odt.with_scene_breaks}}


def draft(path: Path, data: bytes, source_format: str, options: ReadOptions) -> Draft:
    """Return the draft of a file.

    Raises:
        InputError: The file cannot be used.
    """
    if not data.strip():
        raise InputError(path, "The file is empty.", remedy="Give a file with text in it.")
    try:
        return _draft(path, data, source_format, options)
    except RecursionError as error:
        problem, remedy = "Its parts are nested too deeply.", "Save it again in a simpler form."
        raise InputError(path, problem, remedy=remedy) from error


def _draft(path: Path, data: bytes, source_format: str, options: ReadOptions) -> Draft:
    if source_format == "epub":
        return _epub(path, data, options)
    if source_format in sniff.ZIPPED:
        return _office(path, data, source_format, options)
    text, name = encoding.decode(data, path)
    found = _text(path, text, source_format, options)
    if name.startswith("utf"):
        return found
    return replace(found, notes=(f"Read as {name}; the file is not UTF-8.", *found.notes))


def _text(path: Path, text: str, source_format: str, options: ReadOptions) -> Draft:
    if source_format == "text":
        return plain.read(text)
    if source_format in ("srt", "vtt"):
        return cues.read(text, path)
    if source_format == "html":
        return _html(path, text, options)
    if source_format == "fb2":
        return _fb2(path, text, options)
    about = About()
    if source_format == "markdown":
        text, about = markdown.front_matter(texts.strip_invisible(text), path)
    tree = pandoc.parse(text.encode(), source_format, path)
    found = _flattened(tree["blocks"], options)
    return replace(found, about=_either(about, markdown.from_pandoc(tree["meta"])))


def _html(path: Path, text: str, options: ReadOptions) -> Draft:
    page = tidy(text)
    tree = pandoc.parse(page.body.encode(), "html", path)
    found = _flattened(tree["blocks"], options)
    said = (notes.LICENCE,) if page.n_licences else ()
    about = About(page.title, page.author, page.language)
    return replace(found, about=about, notes=(*said, *found.notes))


def _fb2(path: Path, text: str, options: ReadOptions) -> Draft:
    # What the XML head says of the encoding is true of the file, not of the decoded text.
    text = re.sub(r"^\s*<\?xml.*?\?>", "", text.lstrip("\ufeff"), flags=re.DOTALL)
    about = metadata.of_fb2(text.encode(), path)
    prepared, n_tables = fb2.without_tables(text, speak=options.tables == "speak")
    tree = pandoc.parse(prepared.encode(), "fb2", path)
    return replace(_flattened(tree["blocks"], options, n_tables=n_tables), about=about)


def _epub(path: Path, data: bytes, options: ReadOptions) -> Draft:
    book = epub.read(path, data)
    found = _flattened(pandoc.parse_pages(book.bodies, path), options)
    said = (notes.LICENCE,) if book.n_licences else ()
    return replace(
        found,
        about=book.package.about,
        outline=epub.outline(book, found.parts),
        matter=epub.front_matter(book, found.parts),
        notes=(*said, *found.notes),
    )


def _office(path: Path, data: bytes, source_format: str, options: ReadOptions) -> Draft:
    opened = archive.open_checked(path, data)
    about = metadata.of_archive(opened, source_format, path)
    tree = pandoc.parse(
        archive.repack(opened, path, _CHANGES.get(source_format, {})), source_format, path
    )
    found = _flattened(tree["blocks"], options)
    return replace(found, about=_either(about, markdown.from_pandoc(tree["meta"])))


def _flattened(blocks: list[pandoc.Node], options: ReadOptions, *, n_tables: int = 0) -> Draft:
    """Return pandoc's blocks as a draft; `n_tables` were left out before pandoc saw them."""
    flattener = Flattener(
        speak_footnotes=options.footnotes == "speak", speak_tables=options.tables == "speak"
    )
    flat = flattener.flatten(blocks)
    return Draft(About(), tuple(flat.parts), notes=_notes(flat, n_tables, options))


def _notes(flat: Flattened, n_tables: int, options: ReadOptions) -> tuple[str, ...]:
    return notes.omissions(
        n_footnotes=flat.n_footnotes if options.footnotes == "skip" else 0,
        n_tables=flat.n_tables + n_tables,
        n_formulas=flat.n_formulas,
    )


def _either(first: About, second: About) -> About:
    return About(
        first.title or second.title,
        first.author or second.author,
        first.language or second.language,
        first.cover or second.cover,
    )
