"""Which part of a text is in which language."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engines.gpt_sovits.text import language_id, languages
from pipeline.engines.gpt_sovits.text.scripts import split
from pipeline.engines.gpt_sovits.text.spans import Span, settle, settle_chinese_and_japanese
from pipeline.errors import ModelError, RequestError


def parts(text: str, mode: str) -> list[tuple[str, str]]:
    found = languages.parts(text, mode, language_id.detector())
    return [(part.language, part.text) for part in found]


def test_english_inside_chinese_stays_english() -> None:
    assert parts("我买了MacBook Pro，很好。", "zh") == [
        ("zh", "我买了"),
        ("en", "MacBook Pro，"),
        ("zh", "很好。"),
    ]


def test_in_english_mode_all_is_english() -> None:
    assert parts("Say 你好 now", "en") == [("en", "Say 你好 now")]


def test_kana_and_hangul_tell_a_language_of_their_own() -> None:
    assert parts("请看。まいご、끝", "auto") == [("zh", "请看。"), ("ja", "まいご、"), ("ko", "끝")]


def test_a_number_beside_english_belongs_to_the_named_language_in_the_all_modes() -> None:
    assert parts("Python 3比2快", "zh") == [("en", "Python 3"), ("zh", "比2快")]
    assert parts("Python 3比2快", "all_zh") == [("en", "Python "), ("zh", "3比2快")]


def test_the_yue_modes_say_chinese_in_cantonese() -> None:
    assert parts("我喺MTR等你。", "all_yue") == [("yue", "我喺"), ("en", "MTR"), ("yue", "等你。")]


def test_a_text_of_marks_is_no_language() -> None:
    assert parts("……！", "auto") == [("punctuation", "……！")]


def test_an_empty_text_has_no_parts() -> None:
    assert parts("  ", "auto") == []


def test_splitting_loses_nothing() -> None:
    text = "第3章: Chapter 3\n終わり、끝. 「ok」"
    assert "".join(span.text for span in split(text, language_id.detector())) == text


def test_a_short_phrase_between_two_of_one_language_joins_them() -> None:
    spans = [Span("zh", "大概是"), Span("ja", "毫秒"), Span("zh", "以上吧")]
    assert settle(spans, lambda _: ()) == [Span("zh", "大概是毫秒以上吧")]


def test_a_span_a_tenth_as_long_as_the_next_joins_it() -> None:
    text = "今天天气很好，我们去公园散步吧"
    spans = [Span("zh", text), Span("ja", "。")]
    assert settle_chinese_and_japanese(spans) == [Span("zh", f"{text}。")]


def test_a_mode_the_older_symbol_table_lacks_is_refused() -> None:
    languages.check_mode("all_ja", "v1")
    with pytest.raises(RequestError, match=r"v1 checkpoints cannot speak in .* 'ko'"):
        languages.check_mode("ko", "v1")


def test_a_mode_that_does_not_exist_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"no language mode 'klingon'.*auto, auto_yue"):
        languages.check_mode("klingon", "v2")


def test_a_file_that_is_no_language_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lid.176.bin"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"lid\.176\.bin: not a model of fastText"):
        language_id.detector(path)
    with pytest.raises(ModelError, match="not a model of fastText"):
        language_id.detector(tmp_path / "missing.bin")
