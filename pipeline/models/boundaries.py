"""Where the words that Whisper aligns begin in a text."""

from __future__ import annotations

#: Languages written without spaces between words.
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km", "bo"})


def begins_word(text: str, at: int, language: str) -> bool:
    """Tell whether a token that starts at a character starts a word."""
    if at == 0 or text[at].isspace():
        return True
    before, here = text[at - 1], text[at]
    if language not in UNSPACED or before.isspace() or not here.isalnum():
        return False
    # A Latin word or a number stays whole.
    return not (before.isascii() and here.isascii() and before.isalnum())
