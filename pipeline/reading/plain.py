"""Plain text: paragraphs from blank lines, indents and line lengths; headings from their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from statistics import median

from pipeline.reading import contents, gutenberg, headings, notes, screenplay
from pipeline.reading import text as texts
from pipeline.reading.draft import About, Draft, Part
from pipeline.reading.headings import HEADING

#: Lines longer than this were not wrapped by hand: each is a paragraph.
MAX_WRAPPED_CHARS = 110
#: A line this much shorter than its neighbours, with a full stop, ends a paragraph.
SHORT_LINE = 0.6

_ROMAN = re.compile(r"[IVXLC]{1,7}\.?")
#: Emphasis, as typewriters write it.
_EMPHASIS = re.compile(r"(?<![\w_])_(?=[^\s_])([^_]{1,400})(?<=[^\s_])_(?![\w_])")
#: What Chinese novels say of themselves in their first lines.
_CHINESE_FIELD = re.compile(r"^[ \t\u3000]*(书名|書名|作者)[ \t]*[：:][ \t]*(\S.*)$", re.M)
_HEAD_CHARS = 500
_FULL_STOP = re.compile(r"[.!?。！？…][\"'”’」』）)]*\s*$")

Line = tuple[int, str]


def read(text: str) -> Draft:
    """Return the draft of a plain text."""
    text = texts.strip_invisible(text)
    body, first_line, about, is_licensed = gutenberg.without_licence(text)
    body, is_listed = contents.without_list(_EMPHASIS.sub(r"\1", body))
    if not is_licensed:
        body, about = _chinese_fields(body)
    groups = list(_groups(body, first_line))
    said: tuple[str, ...] = (notes.LICENCE,) if is_licensed else ()
    said += notes.skipped(["the list of contents"]) if is_listed else ()
    parts = _promote_names(_promote_numerals(list(_every_part(groups))))
    return Draft(about=about, parts=tuple(parts), notes=said)


def _every_part(groups: list[list[Line]]) -> Iterator[Part]:
    width = _width(groups)
    is_screenplay = screenplay.is_screenplay(groups)
    for group in groups:
        said = list(screenplay.speech(group)) if is_screenplay else []
        yield from said or _parts(group, width)


def _chinese_fields(text: str) -> tuple[str, About]:
    """Take title and author from the head of a text."""
    head = text[:_HEAD_CHARS]
    fields = {found[1]: texts.clean(found[2]) for found in _CHINESE_FIELD.finditer(head)}
    about = About(fields.get("书名") or fields.get("書名"), fields.get("作者"))
    return _CHINESE_FIELD.sub("", head) + text[_HEAD_CHARS:], about


def _groups(text: str, first_line: int) -> Iterator[list[Line]]:
    """Yield runs of lines that no blank line divides, each line with its number."""
    group: list[Line] = []
    for number, line in enumerate(text.split("\n"), start=first_line):
        if line.strip():
            group.append((number, line))
        elif group:
            yield group
            group = []
    if group:
        yield group


def _width(groups: list[list[Line]]) -> float:
    """Return the width at which the file wraps its lines; infinite if it does not."""
    inner = [len(line.strip()) for group in groups for _, line in group[:-1]]
    if not inner:
        return MAX_WRAPPED_CHARS
    return max(inner) if median(inner) <= MAX_WRAPPED_CHARS else 0.0


def _parts(group: list[Line], width: float) -> Iterator[Part]:
    lines = list(group)
    while lines and (texts.is_scene_break(lines[0][1]) or HEADING.fullmatch(lines[0][1].strip())):
        number, line = lines.pop(0)
        if texts.is_scene_break(line):
            yield Part("scene_break", place=f"line {number}")
        else:
            yield Part("heading", line.strip(), f"line {number}", level=1)
            if len(lines) == 1 and headings.is_name(lines[0][1]):
                number, line = lines.pop()
                yield Part("heading", line.strip(), f"line {number}", level=2)
    for paragraph in _paragraphs(lines, width):
        text = "\n".join(line.strip() for _, line in paragraph)
        place = f"line {paragraph[0][0]}"
        if texts.is_scene_break(text):
            yield Part("scene_break", place=place)
        elif HEADING.fullmatch(text):
            yield Part("heading", text, place, level=1)
        else:
            yield Part("paragraph", text, place)


def _paragraphs(lines: list[Line], width: float) -> Iterator[list[Line]]:
    paragraph: list[Line] = []
    for index, (number, line) in enumerate(lines):
        if paragraph and _begins(lines[index - 1][1], line, width):
            yield paragraph
            paragraph = []
        paragraph.append((number, line))
    if paragraph:
        yield paragraph


def _begins(before: str, line: str, width: float) -> bool:
    """Tell whether a line begins a new paragraph, though no blank line says so."""
    if width == 0 or len(before) > MAX_WRAPPED_CHARS or texts.is_scene_break(line):
        return True
    if texts.is_scene_break(before) or HEADING.fullmatch(line.strip()):
        return True
    if line[:1] in " \t\u3000" and before[:1] not in " \t\u3000":
        return True
    if line.startswith(("\u3000\u3000", "\t")):
        return True
    return bool(_FULL_STOP.search(before)) and len(before.strip()) < SHORT_LINE * width


def _promote_numerals(parts: list[Part]) -> list[Part]:
    """Make lone Roman numerals headings, if there are several."""
    if sum(_ROMAN.fullmatch(part.text) is not None for part in parts) < 2:
        return parts
    return [
        replace(part, kind="heading", level=1) if _ROMAN.fullmatch(part.text) else part
        for part in parts
    ]


def _promote_names(parts: list[Part]) -> list[Part]:
    """Make the name below a lone chapter number a heading, though a blank line divides them."""
    named = list(parts)
    for index, (number, name) in enumerate(pairwise(parts)):
        is_number = number.kind == "heading" and headings.BARE.fullmatch(number.text)
        if is_number and name.kind == "paragraph" and headings.is_capital_name(name.text):
            named[index + 1] = replace(name, kind="heading", level=2)
    return named
