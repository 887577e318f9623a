"""Which characters stand for something that is said."""

from __future__ import annotations

import unicodedata

#: Punctuation that stands for words.
_SPOKEN_MARKS = set("&@#%＆＠＃％")
#: Symbols that do not.
_DECORATION = set("~^`|～＾｀｜")


def means_something(char: str) -> bool:
    """Tell whether leaving a character out would leave out what is said: a letter, number, sign."""
    is_word_like = unicodedata.category(char)[0] in "LNS" and char not in _DECORATION
    return is_word_like or char in _SPOKEN_MARKS
