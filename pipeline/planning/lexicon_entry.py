"""One entry of a pronunciation lexicon, and where it applies in a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from pipeline.manifest.plan import Reading
from pipeline.planning.characters import CJK_CLASS

#: A letter or digit that makes a longer word of the one beside it; CJK letters do not.
_WORD = rf"[\w--[{CJK_CLASS}]]"
_FLAGS = regex.V1 | regex.UNICODE
_APOSTROPHES = "'’"
#: Spellings of one and the same character in a word, as a character class.
_VARIANTS = dict.fromkeys(_APOSTROPHES, "['’]") | dict.fromkeys("-‐‑", "[-‐‑]")
#: "O'Brien" is one word; so is "can't", but "Anna's" is Anna and an ending.
_STARTS_WORD = rf"(?<!{_WORD})(?<!\p{{Lu}}['’])"
_ENDS_WORD = rf"(?!{_WORD})(?!['’](?!s\b){_WORD})"


@dataclass(frozen=True, slots=True)
class Entry:
    """How to say a word, or whatever a regular expression matches."""

    #: As written in the file.
    source: str
    is_regex: bool
    pattern: regex.Pattern[str]
    #: BCP 47 primary tag; None is every language.
    language: str | None
    respelling: str | None
    phonemes: str | None
    #: Line in the lexicon file.
    line: int

    def find(self, text: str, timeout_s: float) -> Iterator[tuple[int, int]]:
        """Yield the places of the text that the entry matches.

        Raises:
            TimeoutError: The regular expression takes too long.
        """
        for match in self.pattern.finditer(text, timeout=timeout_s):
            if match.end() > match.start():
                yield match.span()

    def reading(self, text: str, start: int, end: int) -> Reading:
        """Return the reading of a place; a regex's respelling may use its groups."""
        respelling = self.respelling
        if respelling and self.is_regex:
            match = self.pattern.match(text, start)
            assert match is not None, "the place must come from find"
            respelling = match.expand(respelling)
        return Reading(start=start, end=end, respelling=respelling, phonemes=self.phonemes)


def word_pattern(word: str, *, ignore_case: bool) -> regex.Pattern[str]:
    """Compile a word or phrase that matches only as whole words, with any apostrophe or space."""
    body = r"\s+".join("".join(map(_literal, part)) for part in word.split())
    start = _STARTS_WORD if _is_word_letter(word[0]) else ""
    end = _ENDS_WORD if _is_word_letter(word[-1]) else ""
    return regex_pattern(f"{start}{body}{end}", ignore_case=ignore_case)


def regex_pattern(source: str, *, ignore_case: bool) -> regex.Pattern[str]:
    """Compile a regular expression.

    Raises:
        regex.error: It is not one.
    """
    return regex.compile(source, _FLAGS | (regex.IGNORECASE if ignore_case else 0))


def _literal(char: str) -> str:
    return _VARIANTS.get(char) or regex.escape(char, special_only=True)


def _is_word_letter(char: str) -> bool:
    return regex.match(_WORD, char, _FLAGS) is not None
