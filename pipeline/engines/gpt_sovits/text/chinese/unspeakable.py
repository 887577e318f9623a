"""What of a text would not be said: upstream drops it without a word."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.chinese import normalization, pinyin
from pipeline.engines.gpt_sovits.text.chinese.simplified import is_basic

#: Letters, numbers and symbols mean something, punctuation and spaces need not be heard.
_MEANINGFUL = ("L", "N", "So", "Sm", "Sc")
_MEANINGFUL_MARKS = "%‰§"

#: Dropped, or made a pause, before or after the rules see them.
_NEVER_SAID = "#&@$￥"


def unspeakable(text: str) -> list[tuple[int, str]]:
    """Return the characters that `phonemize` leaves out or cannot pronounce, and where they are.

    Emoji, other scripts (Latin letters that are not units), rare Chinese characters, currency
    signs.
    """
    lost = {i for i, character in enumerate(text) if character in _NEVER_SAID}
    lost |= set(_left_over(text))
    return [(i, text[i]) for i in sorted(lost)]


def _left_over(text: str) -> Iterator[int]:
    """Yield where the characters stand that no rule has put into words."""
    spelled = normalization.spell_out(text)
    if not any(map(_is_lost, spelled)):
        return
    written = normalization.fold(text)
    matcher = SequenceMatcher(None, written, spelled, autojunk=False)
    for start, start_spelled, size in matcher.get_matching_blocks():
        for i in range(size):
            if _is_lost(spelled[start_spelled + i]):
                yield start + i


def _is_lost(character: str) -> bool:
    if character in symbols.PUNCTUATION:
        return False
    if is_basic(character):
        (initial,), (final,) = pinyin.syllables(character)
        return symbols.UNKNOWN in pinyin.phonemes(initial, final)
    category = unicodedata.category(character)
    return category.startswith(_MEANINGFUL) or character in _MEANINGFUL_MARKS
