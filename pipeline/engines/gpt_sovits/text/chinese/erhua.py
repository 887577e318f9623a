"""Erhua: 儿 that colours the syllable before it takes that syllable's tone.

Upstream: text/chinese2.py, of v2 only. There 儿 stays a syllable of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.engines.gpt_sovits.text.chinese.words import Word

_ALWAYS = set("小院儿 胡同儿 范儿 老汉儿 撒欢儿 寻老礼儿 妥妥儿 媳妇儿".split())

#: Words in which 儿 is a child, a son, or part of a name.
_NEVER = set(
    "虐儿 为儿 护儿 瞒儿 救儿 替儿 有儿 一儿 我儿 俺儿 妻儿 拐儿 聋儿 乞儿 患儿 幼儿 孤儿 婴儿 "
    "婴幼儿 连体儿 脑瘫儿 流浪儿 体弱儿 混血儿 蜜雪儿 舫儿 祖儿 美儿 应采儿 可儿 侄儿 孙儿 侄孙儿 "
    "女儿 男儿 红孩儿 花儿 虫儿 马儿 鸟儿 猪儿 猫儿 狗儿 少儿".split()
)

#: Adjectives, abbreviations and names of people keep the syllable.
_TAGS_WITHOUT = {"a", "j", "nr"}


def color(word: Word, finals: Sequence[str]) -> list[str]:
    """Return the finals of a word with the tone of a final 儿 adapted."""
    *before, last = finals
    if not word.text.endswith("儿"):
        return [*finals]
    if last == "er1":
        last = "er2"
    if before and last in {"er2", "er5"} and _is_colored(word):
        last = "er" + before[-1][-1:]
    return [*before, last]


def _is_colored(word: Word) -> bool:
    if word.text in _ALWAYS:
        return True
    is_kept = word.text in _NEVER or word.tag in _TAGS_WITHOUT
    return not is_kept and word.text[-2:] not in _NEVER
