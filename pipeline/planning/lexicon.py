"""The pronunciation lexicon: words and regexes → readings of a chunk.

Where two entries match the same text, the longer match wins, then the entry that comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import regex

from pipeline.errors import InputError
from pipeline.manifest.plan import Reading
from pipeline.planning.characters import CJK_CLASS
from pipeline.planning.lexicon_entry import Entry, parse_entry
from pipeline.planning.lexicon_rows import read_rows

#: How long one regex may search one chunk before it is refused as runaway.
REGEX_TIMEOUT_S = 2.0

#: A CJK letter, a word of another script, or a symbol: what an entry is looked up by.
_TOKEN = regex.compile(rf"[{CJK_CLASS}]|[\w--[{CJK_CLASS}]]+|[^\w\s]", regex.V1)
#: Marks that are one and the same to an entry.
_SAME_MARK = str.maketrans("’‐‑", "'--")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries in the order of the file, with an index of the words."""

    entries: tuple[Entry, ...] = ()
    path: Path | None = None
    _by_token: Mapping[str, Sequence[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, list[int]] = {}
        for number, entry in enumerate(self.entries):
            key = "" if entry.is_regex else _tokens(entry.source)[0]
            index.setdefault(key, []).append(number)
        object.__setattr__(self, "_by_token", index)

    def readings(self, text: str, language: str) -> tuple[Reading, ...]:
        """Return how to say the words of the text that are in the lexicon, in order.

        Raises:
            InputError: A regular expression takes too long.
        """
        if not self.entries:
            return ()
        taken: list[tuple[int, int, int]] = []
        for start, end, number in sorted(self._matches(text, language), key=_precedence):
            if all(end <= other_start or other_end <= start for other_start, other_end, _ in taken):
                taken.append((start, end, number))
        return tuple(
            self.entries[number].reading(text, start, end) for start, end, number in sorted(taken)
        )

    def _matches(self, text: str, language: str) -> Iterator[tuple[int, int, int]]:
        tokens = {"", *_tokens(text)}
        for number in chain.from_iterable(self._by_token.get(token, ()) for token in tokens):
            entry = self.entries[number]
            if entry.language in {None, language}:
                for start, end in self._find(entry, text):
                    yield start, end, number

    def _find(self, entry: Entry, text: str) -> list[tuple[int, int]]:
        try:
            return list(entry.find(text, REGEX_TIMEOUT_S))
        except TimeoutError as error:
            raise InputError(
                self.path or "lexicon",
                f"The regex {entry.source!r} takes more than {REGEX_TIMEOUT_S:g} s on {text!r}.",
                remedy="Do not nest repetitions such as (a+)+.",
                place=f"line {entry.line}",
            ) from error


def load(path: Path) -> Lexicon:
    """Read a lexicon from a CSV file with a header, or from YAML.

    Raises:
        InputError: Something in the file is wrong; says the line and the remedy.
    """
    entries: dict[tuple[str, bool, str | None, bool], Entry] = {}
    for row in read_rows(path):
        entry = parse_entry(path, row)
        if (other := entries.setdefault(entry.identity, entry)) is not entry:
            raise InputError(
                path,
                f"{entry.source!r} is already in line {other.line}.",
                remedy="Remove one of them.",
                place=f"line {row.line}",
            )
    return Lexicon(tuple(entries.values()), path)


def _tokens(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(text.translate(_SAME_MARK))]


def _precedence(match: tuple[int, int, int]) -> tuple[int, int, int]:
    start, end, number = match
    return (start - end, number, start)
