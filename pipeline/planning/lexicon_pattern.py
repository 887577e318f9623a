"""What a word of the lexicon matches: whole words only, in any script and with any apostrophe."""

from __future__ import annotations

import regex

from pipeline.planning.characters import CJK_CLASS

#: A letter or digit that makes a longer word of the one beside it; CJK letters do not.
_LETTER = rf"[\w--[{CJK_CLASS}]]"
#: Spellings of one and the same character, as a character class.
_VARIANTS = dict.fromkeys("'’", "['’]") | dict.fromkeys("-‐‑", "[-‐‑]")
#: "O'Brien" is one word and "can't" is too, but "Anna's" is Anna and an ending.
_STARTS_WORD = rf"(?<!{_LETTER})(?<!\p{{Lu}}['’])"
_ENDS_WORD = rf"(?!{_LETTER})(?!['’](?!s\b){_LETTER})"


def word_pattern(word: str, *, ignore_case: bool) -> regex.Pattern[str]:
    """Compile a word or phrase; white space in it matches any white space."""
    body = r"\s+".join("".join(map(_literal, part)) for part in word.split())
    start = _STARTS_WORD if _is_letter(word[0]) else ""
    end = _ENDS_WORD if _is_letter(word[-1]) else ""
    return regex_pattern(f"{start}{body}{end}", ignore_case=ignore_case)


def regex_pattern(source: str, *, ignore_case: bool) -> regex.Pattern[str]:
    """Compile a regular expression.

    Raises:
        regex.error: It is not one.
    """
    return regex.compile(source, regex.V1 | (regex.IGNORECASE if ignore_case else 0))


def _literal(char: str) -> str:
    return _VARIANTS.get(char) or regex.escape(char, special_only=True)


def _is_letter(char: str) -> bool:
    return regex.match(_LETTER, char, regex.V1) is not None
