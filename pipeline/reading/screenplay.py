"""Screenplays: a name in capitals, far from the margin, above what that person says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.reading.draft import Part

Line = tuple[int, str]
#: Names stand at least this far from the margin.
MIN_INDENT = 8
#: So many speeches make a screenplay.
MIN_SPEECHES = 2
_NAME = re.compile(
    rf"[ \t]{{{MIN_INDENT},}}([A-Z][A-Z0-9 .'’#-]{{0,29}}?)\s*(?:\([^)]{{1,20}}\)\s*)*"
)


def is_screenplay(groups: list[list[Line]]) -> bool:
    """Tell a screenplay by its speeches."""
    return sum(_is_speech(group) for group in groups) >= MIN_SPEECHES


def speech(group: list[Line]) -> Iterator[Part]:
    """Yield the speech of a group of lines, if it is one; stage directions in it are not read."""
    found = _NAME.fullmatch(group[0][1].rstrip())
    if not found or len(group) < 2:
        return
    said = "\n".join(line.strip() for _, line in group[1:])
    said = re.sub(r"(?m)^\([^)]*\)\s*", "", said).strip()
    if said:
        yield Part("paragraph", said, f"line {group[0][0]}", speaker=found[1].strip())


def _is_speech(group: list[Line]) -> bool:
    return next(speech(group), None) is not None
