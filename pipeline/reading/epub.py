"""EPUB 2 and 3: every document of the reading order, each a page for pandoc."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath

from pipeline.reading import archive, encoding, matter, toc
from pipeline.reading import text as texts
from pipeline.reading.draft import Entry, Part
from pipeline.reading.markup import Page, tidy
from pipeline.reading.package import Package, open_package, resolve

_FILE_KINDS = {
    "cover": "cover", "titlepage": "titlepage", "title_page": "titlepage",
    "title-page": "titlepage", "copyright": "copyright-page", "toc": "toc", "nav": "toc",
    "contents": "toc",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Book:
    """An EPUB as pages."""

    package: Package
    pages: tuple[Page, ...]
    #: The HTML of each page, in a division that says where it comes from.
    bodies: tuple[str, ...]

    @property
    def n_licences(self) -> int:
        """Licence texts that were left out."""
        return sum(page.n_licences for page in self.pages)


def read(path: Path, data: bytes) -> Book:
    """Read an EPUB.

    Raises:
        InputError: It is broken, unsafe or locked by DRM.
    """
    package = open_package(path, data)
    pages = tuple(_page(package, index, name) for index, name in enumerate(package.documents))
    bodies = tuple(
        f'<div id="{_anchor(index, "")}" class="voxmill-document" data-number="{index}"'
        f' data-file="{escape(PurePosixPath(name).name)}">{page.body}</div>'
        for index, (name, page) in enumerate(zip(package.documents, pages, strict=True))
    )
    return Book(package, pages, bodies)


def outline(book: Book, parts: tuple[Part, ...]) -> tuple[Entry, ...]:
    """Return the contents, each title at the part its link points to."""
    places = {
        anchor: index for index, part in reversed(list(enumerate(parts))) for anchor in part.anchors
    }
    numbers = {name: index for index, name in enumerate(book.package.documents)}
    entries: list[Entry] = []
    for line in toc.lines(book.package):
        number = numbers.get(line.document)
        first = None if number is None else _find(line, number, places, parts)
        if first is not None:
            entries.append(Entry(line.title, line.level, first))
    # Sorting is stable: titles that share a place keep their order.
    return tuple(_first_of_each_level(sorted(entries, key=lambda entry: entry.first)))


def front_matter(book: Book, parts: tuple[Part, ...]) -> tuple[tuple[int, str], ...]:
    """Return which documents are not read, and what they are."""
    about = f"{book.package.about.title or ''} {book.package.about.author or ''}"
    found = []
    for number, (name, page) in enumerate(zip(book.package.documents, book.pages, strict=True)):
        own = [part for part in parts if part.document == number]
        reason = _reason(book.package, name, page, own, about) if own else None
        if reason:
            found.append((number, reason))
    return tuple(found)


def _page(package: Package, index: int, name: str) -> Page:
    text, _ = encoding.decode(archive.read(package.archive, name, package.path), package.path, name)
    numbers = {document: number for number, document in enumerate(package.documents)}

    def link(href: str) -> str:
        target, fragment = resolve(name, href)
        return f"#{_anchor(numbers[target], fragment)}" if target in numbers else href

    return tidy(text, name=lambda anchor: _anchor(index, anchor), link=link)


def _anchor(number: int, fragment: str) -> str:
    return f"d{number}-{fragment}" if fragment else f"d{number}"


def _find(
    line: toc.Line, number: int, places: dict[str, int], parts: tuple[Part, ...]
) -> int | None:
    exact = places.get(_anchor(number, line.fragment)) if line.fragment else None
    if exact is not None:
        return exact
    own = [index for index, part in enumerate(parts) if part.document == number]
    wanted = texts.key(line.title)
    for index in own:
        if parts[index].kind == "heading" and texts.key(parts[index].text) == wanted:
            return index
    return own[0] if own else None


def _first_of_each_level(entries: list[Entry]) -> list[Entry]:
    """Drop titles that claim a place which another of the same level has already."""
    kept: list[Entry] = []
    for entry in entries:
        last = kept[-1] if kept else None
        if last is None or last.first != entry.first or last.level < entry.level:
            kept.append(entry)
    return kept


def _reason(package: Package, name: str, page: Page, own: list[Part], about: str) -> str | None:
    if name == package.nav:
        return "the contents page"
    kinds = page.kinds | package.kinds.get(name, frozenset())
    named = _FILE_KINDS.get(PurePosixPath(name).stem.lower())
    is_short = sum(len(part.text) for part in own) < matter.MAX_RIGHTS_CHARS
    if named and is_short:
        kinds |= {named}
    if "non-linear" in kinds:
        return "the pages outside the reading order"
    return matter.by_kind(kinds) or matter.by_content(own, about)
