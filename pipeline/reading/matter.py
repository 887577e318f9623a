"""Front and back matter, and the choice of chapters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pipeline.errors import RequestError
from pipeline.reading import text as texts
from pipeline.reading.draft import Part, Section

#: What is not read, and the titles that tell it.
_TITLES = {
    "the cover": r"(?:front |back )?cover(?: page)?|封面|封底",
    "the title page": r"(?:half[- ])?title(?:[- ]?page)?|扉页|書名頁",
    "the copyright page": (
        r"copyright(?: page| notice|s)?|imprint|impressum|colophon|版权(?:页|信息)?|版權頁?|奥付"
    ),
    "the contents page": (
        r"(?:table of )?contents|toc|inhalt(?:sverzeichnis)?|sommaire|table des mati[eè]res"
        r"|índice|目\s*[录錄次]"
    ),
    "the index": r"index|register|索引",
    "the pages about the author": (
        r"about the (?:author|translator|publisher)s?|über den autor|作者简介|关于作者|著者紹介"
    ),
    "the list of other books": (
        r"(?:also|other (?:books|titles|works)|books|more) by .{1,80}|(?:du|by the) même auteur"
    ),
    "the licence": r"the full project gutenberg.{0,3} licen[cs]e",
}
_SMALL_WORDS = frozenset({"", "by", "a", "novel", "von", "de", "par"})
Item = TypeVar("Item")
_BY_TITLE = [
    (re.compile(rf"(?:{words})[.:]?", re.IGNORECASE), what) for what, words in _TITLES.items()
]
_BY_KIND = {
    "cover": "the cover", "titlepage": "the title page", "title-page": "the title page",
    "halftitlepage": "the title page", "copyright-page": "the copyright page",
    "imprint": "the copyright page", "colophon": "the copyright page", "toc": "the contents page",
    "landmarks": "the contents page", "page-list": "the contents page", "loi": "the contents page",
    "lot": "the contents page", "index": "the index", "other-credits": "the credits page",
    "seriespage": "the list of other books", "notes": "the notes",
}  # fmt: skip
_RIGHTS = re.compile(r"all rights reserved|©|copyright|isbn|版权所有|published by", re.IGNORECASE)
#: A copyright page is short.
MAX_RIGHTS_CHARS = 4000
MAX_TITLE_PAGE_CHARS = 300
#: Share of the letters of a contents page that are links.
MIN_LINKED = 0.7
MIN_LINKS = 4


def by_title(title: str) -> str | None:
    """Return what a section with this title is, if it is not read."""
    for pattern, what in _BY_TITLE:
        if pattern.fullmatch(title.strip()):
            return what
    return None


def by_kind(kinds: Sequence[str] | frozenset[str]) -> str | None:
    """Return what a document of these EPUB types is, if it is not read."""
    return next((_BY_KIND[kind] for kind in sorted(kinds) if kind in _BY_KIND), None)


def by_content(parts: Sequence[Part], about_words: str) -> str | None:
    """Return what an untitled page is, judged by its words.

    Args:
        parts: All parts of the page.
        about_words: Title and author of the book.
    """
    text = "\n".join(part.text for part in parts)
    linked = [part.n_linked for part in parts if part.n_linked]
    if len(linked) >= MIN_LINKS and sum(linked) >= MIN_LINKED * len(text):
        return "the contents page"
    if len(text) < MAX_RIGHTS_CHARS and len(set(map(str.lower, _RIGHTS.findall(text)))) >= 2:
        return "the copyright page"
    return _title_page(parts, about_words)


def _title_page(parts: Sequence[Part], about_words: str) -> str | None:
    text = " ".join(part.text for part in parts)
    if len(text) > MAX_TITLE_PAGE_CHARS:
        return None
    words = {texts.key(word) for word in text.split()} - _SMALL_WORDS
    known = {texts.key(word) for word in about_words.split()}
    return "the title page" if words and words <= known else None


def label(sections: Sequence[Section], about_words: str) -> list[Section]:
    """Mark what is not read; if nothing were left, mark nothing.

    Args:
        sections: The whole text, in order.
        about_words: Title and author of the book.
    """
    marked = [
        section
        if section.skipped_as
        else replace(section, skipped_as=_reason(section, "" if index else about_words))
        for index, section in enumerate(sections)
        if any(part.kind != "scene_break" for part in section.parts)
    ]
    if all(section.skipped_as for section in marked):
        return [replace(section, skipped_as=None) for section in marked]
    return marked


def _reason(section: Section, about_words: str) -> str | None:
    if not any(part.kind == "heading" for part in section.parts):
        return _title_page(section.parts, about_words)
    first = next((part.text for part in section.parts if part.kind == "heading"), "")
    return by_title(section.title) if texts.key(first) == texts.key(section.title) else None


def select(sections: list[Item], wanted: str | None) -> list[Item]:
    """Return the chosen sections.

    Args:
        sections: What can be read.
        wanted: "2-4,7", counted from 1; None for all.

    Raises:
        RequestError: The choice is not understood, or names chapters that do not exist.
    """
    if wanted is None:
        return sections
    numbers: set[int] = set()
    for item in wanted.split(","):
        numbers |= set(_range(item.strip(), len(sections), wanted))
    return [section for number, section in enumerate(sections, 1) if number in numbers]


def _range(item: str, n_chapters: int, wanted: str) -> range:
    found = re.fullmatch(r"(\d{1,6})?(\s*[-–]\s*)?(\d{1,6})?", item)
    if not found or not (found[1] or found[3]):
        raise RequestError(f"Chapters {wanted!r} are not understood. Write them as 2-4,7.")
    first = int(found[1] or 1)
    last = int(found[3] or (n_chapters if found[2] else first))
    if not 1 <= first <= last <= n_chapters:
        raise RequestError(
            f"There is no chapter {item}: the text has {n_chapters}. "
            "See them with `voxmill plan`, which numbers them."
        )
    return range(first, last + 1)
