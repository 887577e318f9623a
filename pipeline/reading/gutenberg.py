"""What Project Gutenberg puts around and into a plain text."""

from __future__ import annotations

import re

from pipeline.reading import text as texts
from pipeline.reading.draft import About

_START = re.compile(r"^\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG.*?\*{3}\s*$", re.M | re.S)
_END = re.compile(r"^\*{3}\s*END OF (?:THE|THIS) PROJECT GUTENBERG", re.M)
_FIELD = re.compile(r"^(Title|Author|Language):[ \t]*(.+(?:\n[ \t]+\S.*)*)", re.M)
#: Pictures, and who made the file.
_SILENT = re.compile(
    r"^\[Illustration(?::[^\]]*)?\][ \t]*$"
    r"|\A\s*(?:Produced by|E-text prepared by|Transcribed from)\b.*(?:\n.*\S.*)*",
    re.M,
)


def without_licence(text: str) -> tuple[str, int, About, bool]:
    """Return the book, its first line's number, what the header says, and if there was one."""
    start = _START.search(text)
    if not start:
        return text, 1, About(), False
    end = _END.search(text, start.end())
    fields = {found[1]: texts.clean(found[2]) for found in _FIELD.finditer(text[: start.start()])}
    about = About(fields.get("Title"), fields.get("Author"), fields.get("Language"))
    first_line = text.count("\n", 0, start.end()) + 1
    body = text[start.end() : end.start() if end else len(text)]
    return _SILENT.sub(_blank, body), first_line, about, True


def _blank(found: re.Match[str]) -> str:
    """Return as many line ends, so that places stay right."""
    return "\n" * found[0].count("\n")
