from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.engines.gpt_sovits.text import chinese, symbols
from pipeline.engines.gpt_sovits.text.chinese import pinyin, polyphones


@pytest.mark.parametrize(
    ("reading", "phonemes"),
    [
        ("zhong1", "zh ong1"),
        ("zhi1", "zh ir1"),
        ("zi4", "z i04"),
        ("ji2", "j i2"),
        ("ju4", "j v4"),
        ("lve4", "l ve4"),
        ("gui3", "g ui3"),
        ("yi1", "y i1"),
        ("ye3", "y E3"),
        ("yan2", "y En2"),
        ("yang2", "y ang2"),
        ("yuan2", "y van2"),
        ("wu3", "w u3"),
        ("wen4", "w en4"),
        ("an1", "AA an1"),
        ("er2", "EE er2"),
        ("ou1", "OO ou1"),
        (",", ","),
        ("hm5", "UNK"),
        ("", "UNK"),
        ("噷", "UNK"),
    ],
)
def test_a_reading_is_written_in_symbols(reading, phonemes):
    assert " ".join(pinyin.phonemes(*pinyin.split(reading))) == phonemes


def test_a_text_is_two_phonemes_for_each_character_and_one_for_each_mark():
    said = chinese.phonemize("你好，世界。", "v2")
    assert said.language == "zh"
    assert said.norm == "你好,世界."
    assert said.phonemes == ("n", "i2", "h", "ao3", ",", "sh", "ir4", "j", "ie4", ".")
    assert said.word2ph == (2, 2, 1, 2, 2, 1)


@pytest.mark.parametrize("text", ["噷，覅走", "😀", "", "只有 English", "兙"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_whatever_the_text_each_character_of_the_norm_has_phonemes_of_the_table(text, version):
    said = chinese.phonemize(text, version)
    assert said.word2ph is not None
    assert len(said.word2ph) == len(said.norm)
    assert sum(said.word2ph) == len(said.phonemes)
    assert set(said.phonemes) <= set(symbols.table(version))


@pytest.mark.parametrize(("sign", "pause"), [("￥", "SP2"), ("^", "SP3")])
def test_a_sign_makes_every_comma_of_its_text_a_pause(sign, pause):
    said = chinese.phonemize(f"好，{sign}来", "v2")
    assert said.norm == "好,来"
    assert said.phonemes[2] == pause


def test_a_reader_decides_in_v2_only_and_not_against_the_dictionary():
    def reader(clause: str) -> list[str]:
        return ["hang2" if c == "行" else pinyin.readings(c)[0] for c in clause]

    assert chinese.phonemize("行", "v2", g2pw=reader).phonemes == ("h", "ang2")
    assert chinese.phonemize("行", "v1", g2pw=reader).phonemes == ("x", "ing2")
    assert chinese.phonemize("步行", "v2", g2pw=reader).phonemes[2:] == ("x", "ing2")


@pytest.mark.parametrize(
    ("word", "read", "corrected"),
    [
        ("银行", "yin2 xing2", "yin2 hang2"),
        ("挑剔", "tiao1 ti1", "tiao1 ti4"),
        ("照片", "zhao4 pian4", "zhao4 pian4"),  # pypinyin would say pian1.
        ("唉呀", "ai1 ya5", "ai4 ya5"),
    ],
)
def test_whole_words_are_read_by_the_dictionary(word, read, corrected):
    assert polyphones.correct(word, read.split()) == corrected.split()


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("生日快乐🎂！", "🎂"),
        ("日本語のテスト", "のテスト"),
        ("用Python写", "Python"),
        ("x²+1，５Ａ", "xＡ"),
        ("他噷了一声", "噷"),
        ("￥5，$5，¥5", "￥$¥"),
        ("a@b", "a@b"),
        ("一半是½", "½"),
        ("《书》（二〇二四年），5km，-3℃ … 100%！", ""),
        ("五m高m型", ""),
        ("", ""),
    ],
)
def test_what_would_be_left_out_is_told_with_its_place(text, lost):
    found = chinese.unspeakable(text)
    assert "".join(character for _, character in found) == lost
    assert all(text[i] == character for i, character in found)


def test_a_letter_is_told_apart_from_the_same_letter_in_a_unit():
    assert chinese.unspeakable("5ml的l") == [(4, "l")]


def test_the_package_is_light_to_import():
    check = (
        "import sys, pipeline.engines.gpt_sovits.text.chinese\n"
        "heavy = {'torch', 'transformers', 'jieba', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
