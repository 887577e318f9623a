"""One entry of a pronunciation lexicon: a row of its file, checked and compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from pipeline.errors import InputError
from pipeline.manifest.plan import Reading
from pipeline.planning.lexicon_pattern import regex_pattern, word_pattern
from pipeline.planning.lexicon_rows import Row

_CASES = ("smart", "match", "ignore")


@dataclass(frozen=True, slots=True)
class Entry:
    """How to say a word, or whatever a regular expression matches."""

    #: As written in the file.
    source: str
    is_regex: bool
    pattern: regex.Pattern[str]
    #: BCP 47 primary tag; None is every language.
    language: str | None
    #: Exactly one of the two is set.
    respelling: str | None
    phonemes: str | None
    #: Line in the lexicon file.
    line: int

    @property
    def ignores_case(self) -> bool:
        """Whether "Word" and "word" are the same to it."""
        return bool(self.pattern.flags & regex.IGNORECASE)

    @property
    def identity(self) -> tuple[str, bool, str | None, bool]:
        """What two entries may not have in common."""
        source = self.source.casefold() if self.ignores_case else self.source
        return (source, self.is_regex, self.language, self.ignores_case)

    def find(self, text: str, timeout_s: float) -> Iterator[tuple[int, int]]:
        """Yield start and end of what the entry matches.

        Raises:
            TimeoutError: The regular expression takes too long.
        """
        for match in self.pattern.finditer(text, timeout=timeout_s):
            if match.end() > match.start():
                yield match.span()

    def reading(self, text: str, start: int, end: int) -> Reading:
        """Return the reading of a place that `find` gave."""
        respelling = self.respelling
        if respelling is not None and self.is_regex:
            # A respelling that comes out empty would lose a word: then it is read as written.
            respelling = _expand(self.pattern, respelling, text, start).strip() or text[start:end]
        return Reading(start=start, end=end, respelling=respelling, phonemes=self.phonemes)


def parse_entry(path: Path, row: Row) -> Entry:
    """Check and compile a row.

    Raises:
        InputError: The row is not an entry; says the line and the remedy.
    """
    cells = row.cells
    _check_choices(path, row)
    is_regex = "regex" in cells
    source = cells["regex"] if is_regex else cells["word"]
    pattern = _regex_of(path, row) if is_regex else word_pattern(source, ignore_case=_ignores(row))
    return Entry(
        source=source,
        is_regex=is_regex,
        pattern=pattern,
        language=cells["language"].split("-")[0].lower() if "language" in cells else None,
        respelling=cells.get("respelling"),
        phonemes=_phonemes(path, row),
        line=row.line,
    )


def _check_choices(path: Path, row: Row) -> None:
    cells = row.cells
    for one, other in (("word", "regex"), ("respelling", "phonemes")):
        if (one in cells) == (other in cells):
            has = "both" if one in cells else "neither"
            raise _wrong(
                path, row, f"The entry has {has} of {one} and {other}.", "Fill in one of the two."
            )
    if cells.get("case", "smart") not in _CASES:
        remedy = f"Write one of: {', '.join(_CASES)}."
        raise _wrong(path, row, f"Unknown case rule {cells['case']!r}.", remedy)


def _ignores(row: Row) -> bool:
    """Tell whether case is ignored: the smart rule does so for a word without capitals."""
    case = row.cells.get("case", "smart")
    word = row.cells.get("word")
    return case == "ignore" or (case == "smart" and word is not None and word == word.lower())


def _regex_of(path: Path, row: Row) -> regex.Pattern[str]:
    source = row.cells["regex"]
    try:
        pattern = regex_pattern(source, ignore_case=_ignores(row))
    except regex.error as error:
        raise _wrong(path, row, f"Not a regex: {error}.", "Correct it.") from error
    if pattern.match(""):
        raise _wrong(
            path, row, f"The regex {source!r} also matches no text at all.", "Use + instead of *."
        )
    _check_groups(path, row, pattern)
    return pattern


def _check_groups(path: Path, row: Row, pattern: regex.Pattern[str]) -> None:
    """Refuse a respelling that names a group which the regex does not have."""
    optional = regex.compile(f"(?:{pattern.pattern})?", pattern.flags)
    try:
        _expand(optional, row.cells.get("respelling", ""), "", 0)
    except (regex.error, IndexError) as error:
        problem = f"The respelling does not fit the regex: {error}."
        remedy = r"Write \1 for its first group, and two backslashes for a backslash."
        raise _wrong(path, row, problem, remedy) from error


def _expand(pattern: regex.Pattern[str], template: str, text: str, start: int) -> str:
    match = pattern.match(text, start)
    assert match is not None, "the place must come from a match"
    return str(match.expand(template))


def _phonemes(path: Path, row: Row) -> str | None:
    if "phonemes" not in row.cells:
        return None
    phonemes = row.cells["phonemes"].strip("/ ")
    if not phonemes or "/" in phonemes:
        raise _wrong(path, row, "The phonemes are empty or have a slash inside.", "Correct them.")
    return phonemes


def _wrong(path: Path, row: Row, problem: str, remedy: str) -> InputError:
    return InputError(path, problem, remedy=remedy, place=f"line {row.line}")
