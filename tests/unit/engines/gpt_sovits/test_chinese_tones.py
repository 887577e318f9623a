"""How words are joined and their tones change, by example."""

from __future__ import annotations

import pytest

from pipeline.engines.gpt_sovits.text import chinese
from pipeline.engines.gpt_sovits.text.chinese import merging, pinyin, sandhi, words
from pipeline.engines.gpt_sovits.text.chinese.words import Word


def test_words_have_their_part_of_speech():
    assert words.split("我们去公园") == [Word("我们", "r"), Word("去", "v"), Word("公园", "n")]


def test_a_word_is_cut_at_the_shortest_word_in_it():
    assert words.halve("纸老虎") == ("纸", "老虎")
    assert words.halve("展览馆") == ("展览", "馆")
    assert words.halve("好") == ("好", "")


@pytest.mark.parametrize(
    ("separate", "joined"),
    [
        ("不 怕", "不怕"),
        ("看 一 看", "看一看"),
        ("一 天", "一天"),
        ("好 好", "好好"),
        ("很 好", "很好"),
        ("我 很 好", "我很好"),
        ("事 儿", "事儿"),
        ("他 不", "他 不"),
        ("洗脸 老李", "洗脸 老李"),
    ],
)
def test_words_that_are_said_as_one_are_joined(separate, joined):
    merged = merging.merge([Word(text, "v") for text in separate.split()])
    assert " ".join(word.text for word in merged) == joined


def tones(word: str, tag: str = "x") -> str:
    return "".join(final[-1] for final in sandhi.change(Word(word, tag), pinyin.finals(word)))


@pytest.mark.parametrize(
    ("word", "said"), [("不怕", "24"), ("不好", "43"), ("看不懂", "453"), ("不", "4")]
)
def test_not_rises_before_a_falling_tone(word, said):
    assert tones(word) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [("一段", "24"), ("一天", "41"), ("看一看", "454"), ("第一次", "414"), ("二十一", "421")],
)
def test_one_changes_with_what_follows(word, said):
    assert tones(word) == said


@pytest.mark.parametrize(
    ("word", "tag", "said"),
    [
        ("奶奶", "n", "35"),
        ("哈哈", "n", "15"),
        ("想想", "v", "23"),
        ("我们", "r", "35"),
        ("桌子", "n", "15"),
        ("石子", "n", "23"),
        ("家里", "s", "15"),
        ("出去", "v", "15"),
        ("了", "ul", "5"),
        ("三个", "m", "15"),
        ("豆腐", "n", "45"),
        ("卖豆腐", "n", "445"),
    ],
)
def test_neutral_tones(word, tag, said):
    assert tones(word, tag) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("你好", "23"),
        ("展览馆", "223"),
        ("纸老虎", "323"),
        ("所有人", "232"),
        ("岂有此理", "2323"),
        ("好喜欢", "235"),
    ],
)
def test_third_tones_rise_before_another(word, said):
    assert tones(word) == said


@pytest.mark.parametrize(
    ("text", "version", "tone"),
    [
        ("小院儿", "v2", "4"),
        ("事儿", "v2", "4"),
        ("女儿", "v2", "2"),
        ("花儿", "v2", "2"),
        ("儿", "v2", "2"),
        ("小院儿", "v1", "5"),
    ],
)
def test_a_colouring_er_takes_the_tone_before_it_in_v2(text, version, tone):
    assert chinese.phonemize(text, version).phonemes[-2:] == ("EE", f"er{tone}")
