"""Pinyin of words, and pinyin → symbols.

A syllable is kept as initial and final with its tone, as pypinyin gives them in strict mode: 元 is
("", "van2"). Where a character has no pinyin, as marks have none, both are the character itself.
"""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials

from pipeline.engines.gpt_sovits.text import symbols

TONES = "12345"

#: The initial in the symbol table of a syllable without one, by the first letter of its final.
_OPEN_INITIALS = {"a": "AA", "e": "EE", "o": "OO"}
_GLIDES = {"i": "y", "u": "w", "v": "y"}

#: Strict final → symbol, where the syllable has an initial; others stay as they are.
_CLOSED_FINALS = {"iou": "iu", "uei": "ui", "uen": "un"}

#: … and where it starts with the glide y or w.
_GLIDE_FINALS = {
    "i": "i",
    "in": "in",
    "ing": "ing",
    "ie": "E",
    "ian": "En",
    "u": "u",
    "v": "v",
    "van": "van",
    "ve": "ve",
    "vn": "vn",
}


def syllables(word: str) -> tuple[list[str], list[str]]:
    """Return the initials and finals of a word's characters by pypinyin's dictionaries."""
    initials = lazy_pinyin(word, style=Style.INITIALS, neutral_tone_with_five=True)
    return initials, finals(word)


def finals(word: str) -> list[str]:
    """Return the finals of a word's characters by pypinyin's dictionaries."""
    return lazy_pinyin(word, style=Style.FINALS_TONE3, neutral_tone_with_five=True)


def readings(text: str) -> list[str]:
    """Return the pinyin of each character with its tone as a digit: zhong1."""
    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


def split(reading: str) -> tuple[str, str]:
    """Cut a reading into initial and final: yuan2 → ("", "van2")."""
    if not ("a" <= reading[:1].lower() <= "z"):
        return reading, reading
    return to_initials(reading), to_finals_tone3(reading, neutral_tone_with_five=True)


def phonemes(initial: str, final: str) -> tuple[str, ...]:
    """Return the two symbols of a syllable or the one of a mark, UNK where there is none."""
    if initial == final:
        return (final if final and final in symbols.PUNCTUATION else symbols.UNKNOWN,)
    vowels, tone = final[:-1], final[-1:]
    if not vowels or tone not in TONES:
        return (symbols.UNKNOWN,)
    start, rhyme = _spelling(initial, vowels)
    pair = start, rhyme + tone
    return pair if set(pair) <= set(symbols.table("v1")) else (symbols.UNKNOWN,)


def _spelling(initial: str, vowels: str) -> tuple[str, str]:
    if initial:
        return initial, _apical(initial) if vowels == "i" else _CLOSED_FINALS.get(vowels, vowels)
    first = vowels[0]
    if first in _GLIDES:
        return _GLIDES[first], _GLIDE_FINALS.get(vowels, vowels[1:])
    return _OPEN_INITIALS.get(first, ""), vowels


def _apical(initial: str) -> str:
    """Return what the letter i stands for after an initial: in zhi, zi or ji."""
    if initial in {"zh", "ch", "sh", "r"}:
        return "ir"
    return "i0" if initial in {"z", "c", "s"} else "i"
