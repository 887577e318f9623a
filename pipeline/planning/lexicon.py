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
from pipeline.planning.lexicon_entry import Entry, regex_pattern, word_pattern
from pipeline.planning.lexicon_rows import Row, read_rows

#: How long one regex may search one chunk before it is refused as runaway.
REGEX_TIMEOUT_S = 2.0

#: A CJK letter, a word of another script, or a symbol: what an entry is looked up by.
_TOKEN = regex.compile(rf"[{CJK_CLASS}]|[\w--[{CJK_CLASS}]]+|[^\w\s]", regex.V1)
_CASES = ("smart", "match", "ignore")


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
    entries: list[Entry] = []
    lines: dict[tuple[object, ...], int] = {}
    for row in read_rows(path):
        entry = _entry(path, row)
        key = (entry.source, entry.is_regex, entry.language, entry.pattern.flags)
        if key in lines:
            raise _wrong(
                path,
                row,
                f"{entry.source!r} is already in line {lines[key]}.",
                "Remove one of them.",
            )
        lines[key] = row.line
        entries.append(entry)
    return Lexicon(tuple(entries), path)


def _tokens(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(text)]


def _precedence(match: tuple[int, int, int]) -> tuple[int, int, int]:
    start, end, number = match
    return (start - end, number, start)


def _entry(path: Path, row: Row) -> Entry:
    cells = row.cells
    _check(path, row)
    is_regex = "regex" in cells
    source = cells["regex"] if is_regex else cells["word"]
    entry = Entry(
        source=source,
        is_regex=is_regex,
        pattern=_pattern(path, row, source, is_regex=is_regex),
        language=cells["language"].split("-")[0].lower() if "language" in cells else None,
        respelling=cells.get("respelling"),
        phonemes=cells["phonemes"].strip("/").strip() if "phonemes" in cells else None,
        line=row.line,
    )
    _check_groups(path, row, entry)
    return entry


def _check(path: Path, row: Row) -> None:
    cells = row.cells
    if ("word" in cells) == ("regex" in cells):
        raise _wrong(path, row, "An entry needs a word or a regex.", "Fill in one of the two.")
    if ("respelling" in cells) == ("phonemes" in cells):
        raise _wrong(
            path, row, "An entry needs a respelling or phonemes.", "Fill in one of the two."
        )
    if cells.get("case", "smart") not in _CASES:
        raise _wrong(
            path, row, f"Unknown case rule {cells['case']!r}.", f"Write {', '.join(_CASES)}."
        )
    if "/" in cells.get("phonemes", "").strip("/") or cells.get("phonemes", "x").strip("/ ") == "":
        raise _wrong(
            path, row, "The phonemes are empty or have a slash inside.", "Write them as in həlˈO."
        )


def _pattern(path: Path, row: Row, source: str, *, is_regex: bool) -> regex.Pattern[str]:
    case = row.cells.get("case", "smart")
    ignore_case = case == "ignore" or (
        case == "smart" and not is_regex and source == source.lower()
    )
    if not is_regex:
        return word_pattern(source, ignore_case=ignore_case)
    try:
        pattern = regex_pattern(source, ignore_case=ignore_case)
    except regex.error as error:
        raise _wrong(path, row, f"Not a regex: {error}.", "Correct it.") from error
    if pattern.match(""):
        raise _wrong(
            path, row, f"The regex {source!r} matches nothing at all.", "Make it need a character."
        )
    return pattern


def _check_groups(path: Path, row: Row, entry: Entry) -> None:
    """Refuse a respelling that names a group which the regex does not have."""
    if not entry.is_regex or entry.respelling is None:
        return
    try:
        regex.compile(f"(?:{entry.pattern.pattern})|", entry.pattern.flags).match("").expand(
            entry.respelling
        )
    except (regex.error, IndexError) as error:
        raise _wrong(
            path,
            row,
            f"The respelling {entry.respelling!r} does not fit the regex: {error}.",
            r"Use \1 for the first group, and \\ for a backslash.",
        ) from error


def _wrong(path: Path, row: Row, problem: str, remedy: str) -> InputError:
    return InputError(path, problem, remedy=remedy, place=f"line {row.line}")
