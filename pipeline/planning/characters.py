"""What kinds of characters there are, as far as cutting text into chunks is concerned."""

from __future__ import annotations

import unicodedata

import regex

#: Character class of letters written without spaces between words.
CJK_CLASS = r"\p{Han}\p{Hiragana}\p{Katakana}ー"
#: A letter of these says about as much as three Latin ones.
CJK_WIDTH = 3
CJK_LANGUAGES = frozenset({"zh", "yue", "ja"})
#: Marks that close a sentence.
STOPS = ".!?…。！？｡؟।॥։"
#: Marks that close a clause, the stronger ones and the weaker ones.
STRONG_CLAUSES = ";:—–―；：؛"
WEAK_CLAUSES = ",、，､،"
#: Marks that open in one place or language and close in another („so“, “so”).
AMBIGUOUS_QUOTES = frozenset("\"'＂“‘")

_CJK = regex.compile(rf"[{CJK_CLASS}]")
_CJK_MARK = regex.compile(r"[\u3000-\u303f\uff00-\uffef]")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}ー]")
_KATAKANA = regex.compile(r"[\p{Katakana}ー]")


def has_words(text: str) -> bool:
    """Tell whether there is a letter or digit to speak."""
    return any(map(str.isalnum, text))


def is_cjk(char: str) -> bool:
    """Tell whether the character is a Han or kana letter."""
    return _CJK.match(char) is not None


def is_cjk_mark(char: str) -> bool:
    """Tell whether the character is full-width punctuation."""
    return _CJK_MARK.match(char) is not None and not char.isalnum()


def is_katakana(char: str) -> bool:
    """Tell whether the character is katakana, whose words are loans written in one run."""
    return _KATAKANA.match(char) is not None


def is_kana(char: str) -> bool:
    """Tell whether the character is hiragana or katakana."""
    return _KANA.match(char) is not None


def opens(char: str) -> bool:
    """Tell whether the character can open a quotation, bracket or question."""
    return char in AMBIGUOUS_QUOTES or char in "¿¡" or unicodedata.category(char) in {"Ps", "Pi"}


def closes(char: str) -> bool:
    """Tell whether the character can close a quotation or bracket."""
    return char in AMBIGUOUS_QUOTES or unicodedata.category(char) in {"Pe", "Pf"}


def width(text: str) -> int:
    """Return how much there is to say, in Latin letters: a CJK letter is worth about three."""
    return len(text) + (CJK_WIDTH - 1) * len(_CJK.findall(text))
