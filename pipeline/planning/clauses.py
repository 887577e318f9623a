"""Long sentences → parts of about the same length that an engine takes.

Cuts fall where a reader would breathe: after a colon or semicolon, else a comma, else a space
(between letters only in Chinese and Japanese), and never inside a word or number.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import ceil, inf

from pipeline.planning.characters import (
    STOPS,
    STRONG_CLAUSES,
    WEAK_CLAUSES,
    closes,
    has_words,
    is_cjk,
    is_cjk_mark,
    is_katakana,
    opens,
)

_DASHES = "—―"
#: How far back, in characters, the mark that ends a clause is looked for.
_LOOK_BACK = 16

#: What a cut costs, next to the squared relative deviation of a part from the ideal length.
_AFTER_STRONG_CLAUSE, _AFTER_WEAK_CLAUSE, _BEFORE_OPENER = 0.0, 0.1, 0.2
_AT_SPACE, _BETWEEN_LETTERS, _AFTER_FULL_STOP, _BETWEEN_NUMBERS = 0.5, 0.8, 1.5, 1.5


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place where the text may be cut, and what that costs."""

    position: int
    cost: float


def split(text: str, limit: int) -> list[str]:
    """Cut a sentence into parts of at most `limit` characters, as slices that rebuild it.

    A part is longer only if it is a single word, or a word and symbols around it; every part has
    a word in it if the text has one.
    """
    if len(text.strip()) <= limit:
        return [text]
    cuts = [_Cut(0, 0.0), *_cuts(text), _Cut(len(text), 0.0)]
    positions = _cheapest(text, cuts, limit)
    return [text[a:b] for a, b in itertools.pairwise(positions)]


def _cuts(text: str) -> list[_Cut]:
    """Return the places to cut, with words on both sides of each and between any two."""
    found: list[_Cut] = []
    last_word = max((i for i, c in enumerate(text) if c.isalnum()), default=0)
    previous = 0
    for position in range(1, last_word + 1):
        if not _is_breakable(text, position):
            continue
        if has_words(text[previous:position]):
            found.append(_Cut(position, _cost(text, position)))
        elif found:
            # Only symbols since the last place: they go with the word before them.
            found[-1] = _Cut(position, _cost(text, position))
        previous = position
    return found


def _is_breakable(text: str, position: int) -> bool:
    before, after = text[position - 1], text[position]
    if after.isspace():
        return False
    if before.isspace():
        return not _ends_in_lone_opener(text[max(0, position - _LOOK_BACK) : position].rstrip())
    if before in _DASHES:
        return after not in _DASHES
    return _is_breakable_without_space(before, after)


def _ends_in_lone_opener(text: str) -> bool:
    """Tell whether a mark that opens stands between spaces, as in « Bonjour »."""
    return opens(text[-1:] or " ") and not text[-2:-1].strip()


def _is_breakable_without_space(before: str, after: str) -> bool:
    """Tell whether Chinese or Japanese may be cut between the two characters."""
    if opens(before) or not (after.isalnum() or opens(after)):
        return False
    if is_katakana(before) and is_katakana(after):
        return False
    return is_cjk(before) or is_cjk(after) or is_cjk_mark(before)


def _cost(text: str, position: int) -> float:
    bare = text[max(0, position - _LOOK_BACK) : position].rstrip()
    while bare and closes(bare[-1]):
        bare = bare[:-1]
    mark, after = bare[-1:], text[position]
    if mark == ".":
        return _AFTER_FULL_STOP  # Within a sentence it is most likely an abbreviation.
    if mark and mark in STRONG_CLAUSES + STOPS:
        return _AFTER_STRONG_CLAUSE
    if mark and mark in WEAK_CLAUSES:
        return _AFTER_WEAK_CLAUSE
    if opens(after) or after in _DASHES:
        return _BEFORE_OPENER
    if not text[position - 1].isspace():
        return _BETWEEN_LETTERS
    return _BETWEEN_NUMBERS if mark.isdigit() and after.isdigit() else _AT_SPACE


def _cheapest(text: str, cuts: list[_Cut], limit: int) -> list[int]:
    """Choose the cuts with the least total cost; return their positions with both ends."""
    ideal = len(text) / ceil(len(text) / limit)
    best = [0.0] + [inf] * (len(cuts) - 1)
    come_from = [0] * len(cuts)
    for end in range(1, len(cuts)):
        for start in range(end - 1, -1, -1):
            length = len(text[cuts[start].position : cuts[end].position].strip())
            if length > limit and start < end - 1:
                break
            cost = best[start] + cuts[end].cost + (length / ideal - 1) ** 2
            if cost < best[end]:
                best[end], come_from[end] = cost, start
    return _trace(cuts, come_from)


def _trace(cuts: list[_Cut], come_from: list[int]) -> list[int]:
    index, positions = len(cuts) - 1, [cuts[-1].position]
    while index:
        index = come_from[index]
        positions.append(cuts[index].position)
    return positions[::-1]
