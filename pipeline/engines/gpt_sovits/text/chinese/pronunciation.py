"""Normalised Chinese text → the phonemes of each character (upstream: text/chinese2.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.chinese import (
    erhua,
    merging,
    pinyin,
    polyphones,
    sandhi,
    words,
)
from pipeline.engines.gpt_sovits.text.chinese.words import Word

#: Text without spaces → the pinyin of each character with its tone as a digit: zhong1.
Reader = Callable[[str], Sequence[str]]

_AFTER_MARK = re.compile(f"(?<=[{re.escape(symbols.PUNCTUATION)}])")


def pronounce(norm: str, *, has_erhua: bool, reader: Reader | None) -> list[tuple[str, ...]]:
    """Return the phonemes of each character of a normalised text.

    Args:
        norm: Chinese characters and marks.
        has_erhua: Whether 儿 may take the tone of the syllable before it.
        reader: What tells the reading of a character by its context; pypinyin's dictionaries do
            without.
    """
    clauses = [clause for clause in _AFTER_MARK.split(norm) if clause]
    return [said for clause in clauses for said in _clause(clause, has_erhua, reader)]


def _clause(text: str, has_erhua: bool, reader: Reader | None) -> list[tuple[str, ...]]:
    readings = reader(text) if reader else None
    said: list[tuple[str, ...]] = []
    for word in merging.merge(words.split(text)):
        initials, finals = _syllables(word, readings and readings[len(said) :])
        finals = sandhi.change(word, finals)
        if has_erhua:
            finals = erhua.color(word, finals)
        said += [pinyin.phonemes(*syllable) for syllable in zip(initials, finals, strict=True)]
    return said


def _syllables(word: Word, readings: Sequence[str] | None) -> tuple[list[str], list[str]]:
    if readings is None:
        return pinyin.syllables(word.text)
    corrected = polyphones.correct(word.text, readings[: len(word.text)])
    initials, finals = zip(*map(pinyin.split, corrected), strict=True)
    return list(initials), list(finals)
