"""How tones change within a word: 不, 一, neutral tones, third tones.

Upstream: text/tone_sandhi.py, after PaddleSpeech; the four rules apply in its order.
"""

from __future__ import annotations

from pipeline.engines.gpt_sovits.text.chinese import words
from pipeline.engines.gpt_sovits.text.chinese.neutral import FULL, NEUTRAL
from pipeline.engines.gpt_sovits.text.chinese.words import Word

_PARTICLES = "吧呢哈啊呐噻嘛吖嗨呐哦哒额滴哩哟喽啰耶喔诶的地得"
_ASPECTS, _ASPECT_TAGS = "了着过", {"ul", "uz", "ug"}
_SUFFIXES, _SUFFIX_TAGS = "们子", {"r", "n"}
_PLACES, _PLACE_TAGS = "上下里", {"s", "l", "f"}
_DIRECTIONS, _BEFORE_DIRECTIONS = "来去", "上下进出回过起开"
_BEFORE_CLASSIFIER = "几有两半多各整每做是"

#: Tags of words whose repeated syllable is neutral start so: nouns, verbs, adjectives.
_REPEATABLE = "nva"

#: Before these 一 keeps its tone.
_MARKS = "：，；。？！“”‘’':,;.?!"


def change(word: Word, finals: list[str]) -> list[str]:
    """Return the finals of a word with their tones as they are said in it."""
    finals = _change_not(word.text, finals)
    finals = _change_one(word.text, finals)
    finals = _weaken(word, finals)
    return _change_third(word.text, finals)


def _change_not(word: str, finals: list[str]) -> list[str]:
    """不 is neutral in 看不懂 and rises before a falling tone: 不怕."""
    if len(word) == 3 and word[1] == "不":
        return _toned(finals, 1, "5")
    for i, character in enumerate(word[:-1]):
        if character == "不" and finals[i + 1].endswith("4"):
            finals = _toned(finals, i, "2")
    return finals


def _change_one(word: str, finals: list[str]) -> list[str]:
    """一 is neutral in 看一看, rises before a falling tone (一段), falls before others (一天)."""
    others = word.replace("一", "")
    if others == word or not others or others.isnumeric():
        return finals
    if len(word) == 3 and word[1] == "一" and word[0] == word[2]:
        return _toned(finals, 1, "5")
    if word.startswith("第一"):
        return _toned(finals, 1, "1")
    for i, character in enumerate(word[:-1]):
        if character == "一" and finals[i + 1].endswith("4"):
            finals = _toned(finals, i, "2")
        elif character == "一" and word[i + 1] not in _MARKS:
            finals = _toned(finals, i, "4")
    return finals


def _weaken(word: Word, finals: list[str]) -> list[str]:
    """Give the neutral tone to particles, suffixes, repeated syllables and certain words."""
    text = word.text
    if word.tag[0] in _REPEATABLE and text not in FULL:
        for i in range(1, len(text)):
            if text[i] == text[i - 1]:
                finals = _toned(finals, i, "5")
    weak = len(text) - 1 if _ends_weakly(word) else _weak_classifier(text)
    if weak is None and _is_neutral(text):
        weak = len(text) - 1
    if weak is not None:
        finals = _toned(finals, weak, "5")
    first, second = words.halve(text)
    if _is_neutral(first):
        finals = _toned(finals, len(first) - 1, "5")
    return _toned(finals, len(text) - 1, "5") if _is_neutral(second) else finals


def _ends_weakly(word: Word) -> bool:
    text, last, tag = word.text, word.text[-1], word.tag
    if last in _PARTICLES:
        return True
    if len(text) == 1:
        return last in _ASPECTS and tag in _ASPECT_TAGS
    return (
        (last in _SUFFIXES and tag in _SUFFIX_TAGS and text not in FULL)
        or (last in _PLACES and tag in _PLACE_TAGS)
        or (last in _DIRECTIONS and text[-2] in _BEFORE_DIRECTIONS)
    )


def _weak_classifier(word: str) -> int | None:
    """Return where 个 counts something: 三个, 每个."""
    i = word.find("个")
    if word == "个":
        return i
    is_counting = i >= 1 and (word[i - 1].isnumeric() or word[i - 1] in _BEFORE_CLASSIFIER)
    return i if is_counting else None


def _is_neutral(word: str) -> bool:
    return word in NEUTRAL or word[-2:] in NEUTRAL


def _change_third(word: str, finals: list[str]) -> list[str]:
    """A third tone rises before another in the same foot."""
    if len(word) == 2:
        return _change_third_of_two(finals)
    if len(word) == 3:
        return _change_third_of_three(word, finals)
    if len(word) == 4:
        return _change_third_of_two(finals[:2]) + _change_third_of_two(finals[2:])
    return finals


def _change_third_of_two(finals: list[str]) -> list[str]:
    return _raise(finals, 0) if _are_third(finals) else finals


def _change_third_of_three(word: str, finals: list[str]) -> list[str]:
    cut = len(words.halve(word)[0])
    if cut == 2 and _are_third(finals[:2]):  # 所有 人, 蒙古 包
        raised = _raise(finals, 0)
        return _raise(raised, 1) if _are_third(finals[2:]) else raised
    if cut == 1 and _are_third(finals[1:]):  # 纸 老虎
        return _raise(finals, 1)
    if cut == 1 and _are_third(finals[:2]):  # 好 喜欢
        return _raise(finals, 0)
    return finals


def _are_third(finals: list[str]) -> bool:
    return all(final.endswith("3") for final in finals)


def _raise(finals: list[str], i: int) -> list[str]:
    return _toned(finals, i, "2")


def _toned(finals: list[str], i: int, tone: str) -> list[str]:
    return [*finals[:i], finals[i][:-1] + tone, *finals[i + 1 :]]
