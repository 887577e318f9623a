"""Dialogue scripts: `NAME: text` lines, recognised only when the whole text is written so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

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


#: What stands before a colon in prose and is nobody's name, unless it was given as one.
_LABELS = frozenset({
    "note", "notes", "nb", "ps", "warning", "caution", "tip", "hint", "important", "example",
    "summary", "answer", "question", "chapter", "scene", "time", "place", "date", "setting",
    "hinweis", "achtung", "beispiel", "remarque", "attention", "nota", "注", "注意", "提示",
})  # fmt: skip
Namer = Callable[[str], re.Match[str] | None]


def assign(sections: Sequence[Section], speakers: frozenset[str] = frozenset()) -> list[Section]:
    """Return the sections with speakers, one part for each turn, if this is a dialogue script.

    Args:
        sections: The whole text.
        speakers: Names that are known; they are speakers in any text.
    """
    known = frozenset(name.casefold() for name in speakers)
    parts = [part for section in sections for part in section.parts if _is_open(part)]
    if _is_dialogue(parts, known):
        namer: Namer = partial(_name, known=known)
    elif known:
        namer = partial(_known_name, known=known)
    else:
        return list(sections)
    return [
        replace(
            section, parts=tuple(turn for part in section.parts for turn in _turns(part, namer))
        )
        for section in sections
    ]


def _is_open(part: Part) -> bool:
    return part.kind == "paragraph" and part.is_prose and part.speaker is None


def _name(line: str, known: frozenset[str]) -> re.Match[str] | None:
    found = _NAMED.fullmatch(line.strip())
    if not found or found["name"].casefold() in known:
        return found
    if len(found["name"]) > MAX_NAME_CHARS or found["name"].casefold() in _LABELS:
        return None
    # In scripts without capitals any letter may begin a name.
    is_name = all(word[0] == word[0].upper() for word in found["name"].split())
    return found if is_name else None


def _known_name(line: str, known: frozenset[str]) -> re.Match[str] | None:
    found = _NAMED.fullmatch(line.strip())
    return found if found and found["name"].casefold() in known else None


def _is_dialogue(parts: Sequence[Part], known: frozenset[str]) -> bool:
    lines = [line for part in parts for line in part.text.split("\n")]
    names = [found["name"] for line in lines if (found := _name(line, known))]
    n_opened = sum(_name(part.text.split("\n")[0], known) is not None for part in parts)
    if len(names) < 2 or n_opened < MIN_SHARE * len(parts):
        return False
    counts = Counter(names)
    return len(names) >= MIN_RETURNS * len(counts) or all(_is_shouted(name) for name in counts)


def _is_shouted(name: str) -> bool:
    return name.isupper() and len(name) > 1


def _turns(part: Part, namer: Namer) -> Iterator[Part]:
    if not _is_open(part):
        yield part
        return
    current: Part | None = None
    for line in part.text.split("\n"):
        found = namer(line)
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
