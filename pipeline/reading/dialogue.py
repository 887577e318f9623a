"""Dialogue scripts: `NAME: text` lines, recognised only when the whole text is written so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.reading.draft import Part, Section

#: Share of the paragraphs that must name a speaker.
MIN_SHARE = 0.5
#: A name must come back this often on average, or be written in capitals.
MIN_RETURNS = 1.5
_NAMED = re.compile(
    r"(?P<name>[^\W\d_][\w.'’\-]*(?: [\w.'’\-]+){0,3}?)\s*(?:[(（][^)）]{1,40}[)）])?\s*"
    r"(?::(?!//)\s+|：\s*)(?P<text>\S.*)"
)
MAX_NAME_CHARS = 30


def assign(sections: Sequence[Section]) -> list[Section]:
    """Return the sections with speakers, one part for each turn, if this is a dialogue script."""
    parts = [part for section in sections for part in section.parts]
    lines = [line for part in parts if _is_open(part) for line in part.text.split("\n")]
    openings = [part.text for part in parts if _is_open(part)]
    if not _is_dialogue(lines, openings):
        return list(sections)
    return [
        replace(section, parts=tuple(turn for part in section.parts for turn in _turns(part)))
        for section in sections
    ]


def _is_open(part: Part) -> bool:
    return part.kind == "paragraph" and part.is_prose and part.speaker is None


def _name(line: str) -> re.Match[str] | None:
    found = _NAMED.fullmatch(line.strip())
    if not found or len(found["name"]) > MAX_NAME_CHARS:
        return None
    # In scripts without capitals any letter may begin a name.
    is_name = all(word[0] == word[0].upper() for word in found["name"].split())
    return found if is_name else None


def _is_dialogue(lines: list[str], openings: list[str]) -> bool:
    names = [found["name"] for line in lines if (found := _name(line))]
    n_opened = sum(_name(text.split("\n")[0]) is not None for text in openings)
    if len(names) < 2 or n_opened < MIN_SHARE * len(openings):
        return False
    counts = Counter(names)
    return len(names) >= MIN_RETURNS * len(counts) or all(_is_shouted(name) for name in counts)


def _is_shouted(name: str) -> bool:
    return name.isupper() and len(name) > 1


def _turns(part: Part) -> Iterator[Part]:
    if not _is_open(part):
        yield part
        return
    current: Part | None = None
    for line in part.text.split("\n"):
        found = _name(line)
        if found:
            if current:
                yield current
            current = replace(part, text=found["text"], speaker=found["name"])
        elif current:
            current = replace(current, text=f"{current.text}\n{line}")
        else:
            current = replace(part, text=line)
    if current:
        yield current
