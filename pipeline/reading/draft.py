"""What a format reader hands over: parts in reading order, and what the file says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.manifest.script import BlockKind, Cover


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, heading or scene break as found; marks and line ends are still inside."""

    kind: BlockKind
    #: "\n" where the source has a line end inside the paragraph.
    text: str = ""
    place: str = ""
    #: Headings: 1 is the highest.
    level: int = 0
    language: str | None = None
    speaker: str | None = None
    #: Names of link targets that lie at the start of this part or inside it.
    anchors: tuple[str, ...] = ()
    #: Characters of `text` that link to another place in the same source.
    n_linked: int = 0
    #: False for tables, lists and code, where `Name: text` is not somebody speaking.
    is_prose: bool = True
    #: Index of the file inside an EPUB.
    document: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the outline: where something titled begins."""

    title: str
    level: int
    #: Index of the first part.
    first: int


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of parts under one title; a chapter if it is read."""

    title: str
    parts: tuple[Part, ...]
    #: Why it is not read ("the contents page"); None if it is.
    skipped_as: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a source says of itself."""

    title: str | None = None
    author: str | None = None
    language: str | None = None
    cover: Cover | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A source, read but not yet divided into chapters."""

    about: About
    parts: tuple[Part, ...]
    #: From the table of contents, by target; empty if the headings must do.
    outline: tuple[Entry, ...] = ()
    #: Why a document (by index) is front or back matter: "the copyright page".
    matter: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
