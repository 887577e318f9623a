"""The words of a chunk's text, as timings and subtitles count them."""

from __future__ import annotations

import unicodedata

#: Languages written without spaces, where each character counts as a word.
UNSPACED = frozenset({"zh", "ja", "yue"})
#: Symbols that are spoken; other punctuation and symbols are not.
SPOKEN_SYMBOLS = frozenset("%&+=$£€¥¢@#°§½¼¾²³")
#: Unicode categories of what opens something and so clings to what follows.
OPENING = ("Ps", "Pi")


def split_words(text: str, language: str) -> tuple[str, ...]:
    """Return the words in order: joined, they are the text without its white space.

    A word is what stands between white space, its punctuation included. In Chinese and Japanese
    it is one character with the punctuation that clings to it; a Latin word or a number inside
    stays whole.
    """
    runs = text.split()
    if language not in UNSPACED:
        return tuple(runs)
    return tuple(word for run in runs for word in _characters(run))


def has_sound(word: str) -> bool:
    """Tell whether there is anything in the word to speak."""
    return any(c.isalnum() or c in SPOKEN_SYMBOLS for c in word)


def _characters(run: str) -> list[str]:
    words: list[str] = []
    for character in run:
        if words and _clings(words[-1], character):
            words[-1] += character
        else:
            words.append(character)
    return words


def _clings(word: str, character: str) -> bool:
    """Tell whether the character belongs to the word before it."""
    if not has_sound(word):
        return True
    category = unicodedata.category(character)
    if category in OPENING:
        return False
    if category[0] != "L" and category[0] != "N":
        return True
    return _is_narrow(word[-1]) and _is_narrow(character)


def _is_narrow(character: str) -> bool:
    """Tell a letter or digit of an alphabet from an ideograph or a kana."""
    return unicodedata.east_asian_width(character) not in ("W", "F") and character.isalnum()
