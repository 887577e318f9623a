"""A piece of text → phonemes, whatever its languages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.engines.gpt_sovits.text import cantonese, japanese, korean
from pipeline.engines.gpt_sovits.text.clean import clean
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.errors import EngineError, MissingToolError, RequestError

V1, V2 = FrontEnd("v1"), FrontEnd("v2")


def test_each_part_is_said_in_its_language() -> None:
    said = V2.phonemize("今天的KPI完成了吗？Not yet.", "zh")
    assert [(part.language, part.norm) for part in said] == [
        ("zh", "今天的"),
        ("en", "K P I"),
        ("zh", "完成了吗?"),
        ("en", "Not yet."),
    ]
    assert said[2].word2ph == (2, 2, 2, 2, 1)


def test_a_very_short_text_gets_a_full_stop_in_front() -> None:
    assert [part.norm for part in V2.phonemize("Go home.", "en")] == ["Go home."]
    assert [part.norm for part in V2.phonemize("Go.", "en")] == [". Go."]


def test_a_text_of_marks_or_nothing_is_a_pause() -> None:
    assert [part.phonemes for part in V2.phonemize("……", "auto")] == [(",",)]
    assert [part.phonemes for part in V2.phonemize("", "zh")] == [(".",)]


def test_japanese_has_pitch_marks_in_the_later_table_only() -> None:
    assert " ".join(clean("東京タワー！", "ja", "v2").phonemes) == "t o [ o ky o o t a ] w a a !"
    assert "]" not in clean("東京タワー！", "ja", "v1").phonemes


def test_korean_is_spelt_as_it_is_pronounced() -> None:
    assert "".join(clean("국물 3개", "ko", "v2").phonemes) == "ㄱㅜㅇㅁㅜㄹ空ㅅㅔㄱㅐ."


def test_cantonese_is_said_in_initials_and_finals() -> None:
    said = clean("佢有3個。", "yue", "v2")
    assert said.norm == "佢有三个."
    assert said.phonemes == ("Yk", "Yeoi5", "Yj", "Yau5", "Ys", "Yaam1", "Yg", "Yo3", ".")
    assert said.word2ph == (2, 2, 2, 2, 1)


def test_v1_checkpoints_refuse_korean_instead_of_saying_nothing() -> None:
    with pytest.raises(RequestError, match="v1 checkpoints speak no Korean, which '안녕'"):
        V1.phonemize("Hello there 안녕", "auto")


def test_a_character_without_a_cantonese_reading_is_named() -> None:
    with pytest.raises(EngineError, match="no Cantonese reading of '乄'"):
        clean("佢乄", "yue", "v2")
    assert cantonese.unspeakable("佢乄") == [(1, "乄")]


@pytest.mark.parametrize(
    ("text", "mode", "lost"),
    [
        ("R&D costs $5.", "en", [(1, "&")]),
        ("Say 你好 now", "en", [(4, "你"), (5, "好")]),
        ("東京 한 つ「はい」", "ja", [(3, "한")]),
        ("안녕 漢字 ok", "ko", [(3, "漢"), (4, "字")]),
        ("他说OK，没问题。", "zh", []),
        ("  Hello,  world — isn't it?", "auto", []),
        (
            "Привет, мир. 你好",
            "auto",
            [(i, c) for i, c in enumerate("Привет, мир.") if c.isalpha()],
        ),
    ],
)
def test_characters_that_would_be_left_out_are_told(
    text: str, mode: str, lost: list[tuple[int, str]]
) -> None:
    assert V2.unspeakable(text, mode) == lost


def test_all_korean_would_be_left_out_by_a_v1_checkpoint() -> None:
    assert V1.unspeakable("Hello 안녕!", "auto") == [(6, "안"), (7, "녕")]


def test_words_without_a_japanese_reading_are_told() -> None:
    assert japanese.unspeakable("语音です、百％") == [(0, "语"), (1, "音")]


@pytest.mark.parametrize(
    ("package", "say"),
    [
        ("pyopenjtalk", lambda: japanese.phonemize("はい", "v2")),
        ("mecab", lambda: korean.phonemize("네", "v2")),
        ("ToJyutping", lambda: cantonese.phonemize("係", "v2")),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(
    package: str, say: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    japanese._open_jtalk.cache_clear()
    korean._rules.cache_clear()
    with pytest.raises(MissingToolError, match="pip install"):
        say()  # type: ignore[operator]
    japanese._open_jtalk.cache_clear()


def test_the_front_end_imports_nothing_heavy() -> None:
    code = (
        "import sys; import pipeline.engines.gpt_sovits.text.front_end; "
        "heavy = {'torch', 'nltk', 'jieba', 'pyopenjtalk', 'inflect', 'hibari', 'fasttext'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
