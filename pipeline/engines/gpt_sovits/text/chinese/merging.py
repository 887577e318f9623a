"""Words put together before tones change, since a tone changes by what follows in the same word.

Upstream: the merges of text/tone_sandhi.py, after PaddleSpeech, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.engines.gpt_sovits.text.chinese import pinyin
from pipeline.engines.gpt_sovits.text.chinese.words import Word

#: The longest word that two words with third tones may make.
_LONGEST_FOOT = 3


def merge(words: Sequence[Word]) -> list[Word]:
    """Put together the words that are said as one."""
    merged = _merge_not(words)
    merged = _merge_one(_merge_verb_one_verb(merged))
    merged = _merge_repeated(merged)
    merged = _merge_third_tones(merged, _are_all_third)
    merged = _merge_third_tones(merged, _meet_in_third)
    return _merge_diminutive(merged)


def _merge_not(words: Sequence[Word]) -> list[Word]:
    """不 goes with the word after it."""
    merged: list[Word] = []
    is_open = False
    for word in words:
        joined = Word("不" + word.text, word.tag) if is_open else word
        is_open = joined.text == "不"
        if not is_open:
            merged.append(joined)
    return [*merged, Word("不", "d")] if is_open else merged


def _merge_verb_one_verb(words: Sequence[Word]) -> list[Word]:
    """看 一 看 → 看一看."""
    merged: list[Word] = []
    rest = iter(enumerate(words))
    for i, word in rest:
        if merged and word.text == "一" and i + 1 < len(words):
            verb, after = merged[-1], words[i + 1]
            if verb == after and verb.tag == "v":
                merged[-1] = Word(f"{verb.text}一{verb.text}", "v")
                next(rest)
                continue
        merged.append(word)
    return merged


def _merge_one(words: Sequence[Word]) -> list[Word]:
    """一 goes with the word after it."""
    return _join(words, lambda before, _: before.text == "一")


def _merge_repeated(words: Sequence[Word]) -> list[Word]:
    """好 好 → 好好."""
    return _join(words, lambda before, word: before.text == word.text)


def _merge_diminutive(words: Sequence[Word]) -> list[Word]:
    """儿 goes with the word before it."""
    return _join(words, lambda _, word: word.text == "儿")


def _join(words: Sequence[Word], belong: Callable[[Word, Word], bool]) -> list[Word]:
    merged: list[Word] = []
    for word in words:
        if merged and belong(merged[-1], word):
            merged[-1] = Word(merged[-1].text + word.text, merged[-1].tag)
        else:
            merged.append(word)
    return merged


def _merge_third_tones(
    words: Sequence[Word], belong: Callable[[list[str], list[str]], bool]
) -> list[Word]:
    """Put two short words together whose third tones touch, and no third word to them."""
    finals = [pinyin.finals(word.text) for word in words]
    merged: list[Word] = []
    has_taken = False
    for i, word in enumerate(words):
        before = words[i - 1].text
        has_taken = (
            i > 0
            and not has_taken
            and belong(finals[i - 1], finals[i])
            and not _is_reduplication(before)
            and len(before + word.text) <= _LONGEST_FOOT
        )
        if has_taken:
            merged[-1] = Word(merged[-1].text + word.text, merged[-1].tag)
        else:
            merged.append(word)
    return merged


def _are_all_third(before: list[str], after: list[str]) -> bool:
    return all(final.endswith("3") for final in before + after)


def _meet_in_third(before: list[str], after: list[str]) -> bool:
    return before[-1].endswith("3") and after[0].endswith("3")


def _is_reduplication(word: str) -> bool:
    return len(word) == 2 and word[0] == word[1]
