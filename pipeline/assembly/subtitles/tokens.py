"""The words of a sentence as they are set in a cue: what stands between them, how wide they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.manifest.timeline import TimedSentence, TimedWord

#: Categories of characters that take no room: combining marks and format characters.
ZERO_WIDTH = frozenset({"Mn", "Me", "Cf"})
#: First code point that can be wide; below it every character is one column.
FIRST_WIDE = 0x1100


@dataclass(frozen=True, slots=True)
class Token:
    """A timed word with the punctuation that clings to it."""

    text: str
    start_s: float
    end_s: float
    #: Whether a space stands before it when it is not the first of its line.
    spaced: bool


def width(text: str) -> int:
    """Return the columns a text takes: 2 for a wide character, 0 for a combining mark."""
    return sum(_columns(character) for character in text)


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if unicodedata.category(character) in ZERO_WIDTH:
        return 0
    return 2 if is_wide(character) else 1


def is_wide(character: str) -> bool:
    """Tell whether a character takes two columns, as in Chinese, Japanese and Korean."""
    return ord(character) >= FIRST_WIDE and unicodedata.east_asian_width(character) in "WF"


def joined(tokens: Sequence[Token]) -> str:
    """Return tokens as one line of text."""
    first, *rest = tokens
    return first.text + "".join(" " * token.spaced + token.text for token in rest)


def tokens(sentence: TimedSentence) -> tuple[Token, ...]:
    """Return the words of a sentence with the spacing of its text.

    Characters between two words (a dash that stands alone, quotation marks) cling to the word
    before, so that the reader loses nothing of the text.
    """
    made: list[Token] = []
    position = 0
    for word in sentence.words:
        text = " ".join(word.text.split())
        if not text:
            continue
        found = sentence.text.find(text, position)
        between = None if found < 0 else sentence.text[position:found]
        position = position if found < 0 else found + len(text)
        _append(made, word, text, between)
    if made and sentence.text.find(made[-1].text) >= 0:
        _cling(made, sentence.text[position:])
    return tuple(made)


def _append(made: list[Token], word: TimedWord, text: str, between: str | None) -> None:
    if not made:
        text = (between or "").lstrip() + text
        made.append(Token(" ".join(text.split()), word.start_s, word.end_s, spaced=False))
        return
    if between is None:
        # Not in the text: no space between two wide characters, one anywhere else.
        spaced = not (is_wide(made[-1].text[-1]) and is_wide(text[0]))
    else:
        _cling(made, between)
        spaced = between != between.rstrip()
    made.append(Token(text, word.start_s, word.end_s, spaced))


def _cling(made: list[Token], extra: str) -> None:
    if not extra.strip():
        return
    last = made[-1]
    text = " ".join((last.text + extra).split())
    made[-1] = Token(text, last.start_s, last.end_s, last.spaced)
