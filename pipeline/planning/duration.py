"""How long a text will take to speak, before it is spoken."""

from __future__ import annotations

from pipeline.manifest.plan import Chunk
from pipeline.planning.characters import STRONG_CLAUSES, WEAK_CLAUSES, is_cjk, is_kana

#: Seconds a letter: fitted to hibari's English, and taken to be the same in other alphabets.
_LETTER_S = 0.06
#: A Korean letter is a syllable; Arabic and Hebrew leave out most vowels. Not measured.
_LETTER_S_IN = {"ko": 0.17, "ar": 0.08, "he": 0.08}
#: A digit stands for a short word ("40": forty); Han and kana letters stand for a syllable or so.
_DIGIT_S, _HAN_S, _KANA_S = 0.3, 0.23, 0.13
#: The pause that an engine makes at a comma, and the attack and decay of a chunk.
_CLAUSE_S, _EDGES_S = 0.2, 0.15


def estimate_s(chunk_or_text: Chunk | str, language: str) -> float:
    """Return the estimated duration of the speech, without the pause after it, in seconds."""
    text = chunk_or_text if isinstance(chunk_or_text, str) else chunk_or_text.text
    letter_s = _LETTER_S_IN.get(language, _LETTER_S)
    return _EDGES_S + sum(_char_s(char, letter_s) for char in text)


def _char_s(char: str, letter_s: float) -> float:
    if char.isascii() and char.isalpha():
        return letter_s
    if char.isdigit():
        return _DIGIT_S
    if is_cjk(char):
        return _KANA_S if is_kana(char) else _HAN_S
    if char in STRONG_CLAUSES or char in WEAK_CLAUSES:
        return _CLAUSE_S
    return letter_s if char.isalpha() else 0.0
