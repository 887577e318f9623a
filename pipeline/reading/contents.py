"""A list of chapters at the head of a plain text, which nobody wants read aloud."""

from __future__ import annotations

import re

from pipeline.reading import text as texts
from pipeline.reading.headings import HEADING

MAX_LINE_CHARS = 100
MIN_ENTRIES = 2
_TITLE = re.compile(r"(?i:(?:table of )?contents|inhalt|目\s*[录錄次])[.:]?")
_PAGE = re.compile(r"(?:[\s.·…_]{2,}|\s+)(?:\d{1,4}|[ivxlc]{1,7})$")


def without_list(text: str) -> tuple[str, bool]:
    """Return the text with the lines of the list blank, and whether there was one."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if _TITLE.fullmatch(line.strip()):
            end = _end(lines, index + 1)
            if end is not None:
                blank = [""] * (end - index)
                return "\n".join([*lines[:index], *blank, *lines[end:]]), True
    return text, False


def _end(lines: list[str], start: int) -> int | None:
    """Return the line after the list; None if this is no list."""
    later = {texts.key(line) for line in lines[start:] if len(line) <= MAX_LINE_CHARS}
    n_seen: dict[str, int] = {}
    for line in lines[start:]:
        if len(line) <= MAX_LINE_CHARS:
            n_seen[texts.key(line)] = n_seen.get(texts.key(line), 0) + 1
    entries: list[str] = []
    for index in range(start, len(lines)):
        line = lines[index].strip()
        if not line:
            continue
        key = texts.key(_PAGE.sub("", line))
        if entries and _is_first_again(line, key, entries[0]):
            return index if len(entries) >= MIN_ENTRIES else None
        is_listed = n_seen.get(key, 0) > (key == texts.key(line)) or HEADING.fullmatch(line)
        if not is_listed and not (_PAGE.search(line) and key in later):
            return index if len(entries) >= MIN_ENTRIES else None
        entries.append(key)
    return None


def _is_first_again(line: str, key: str, first: str) -> bool:
    """Tell the heading of the first chapter from the second line of the list."""
    return key == first or (HEADING.fullmatch(line) is not None and first.startswith(key))
