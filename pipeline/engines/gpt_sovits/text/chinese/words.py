"""Chinese text → words with their part of speech, by jieba's dictionary and hidden Markov model.

Upstream uses jieba_fast, the same in C.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its part of speech as jieba tags it: n noun, v verb, m number, x mark."""

    text: str
    tag: str


def split(text: str) -> list[Word]:
    """Return the words of the text, marks among them."""
    return [Word(pair.word, pair.flag) for pair in _jieba().posseg.dt.cut(text)]


def halve(word: str) -> tuple[str, str]:
    """Cut a word at one end of the shortest word in it; one half is empty where there is none."""
    part = min(_jieba().dt.cut_for_search(word), key=len)
    if word.startswith(part):
        return part, word[len(part) :]
    return word[: -len(part)], part


@cache
def _jieba() -> Any:
    """Load jieba's dictionary, without the cache that jieba would keep in the temporary folder.

    That file has a fixed name and is loaded unchecked, whoever wrote it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its regular expressions are not raw strings.
        import jieba  # noqa: PLC0415
        import jieba.posseg  # noqa: PLC0415
    tokenizer = jieba.dt
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return jieba
