"""Where the words that Whisper aligns begin."""

from __future__ import annotations

import pytest

from pipeline.models.boundaries import begins_word


def starts(text: str, language: str) -> list[int]:
    return [at for at in range(len(text)) if begins_word(text, at, language)]


def test_words_begin_at_the_space_before_them() -> None:
    assert starts(" Wer da?", "de") == [0, 4]


def test_each_chinese_character_may_begin_a_word_but_no_mark() -> None:
    assert starts("猫在。狗", "zh") == [0, 1, 3]


@pytest.mark.parametrize("whole", ["World", "42"])
def test_a_latin_word_or_number_stays_whole_in_chinese(whole: str) -> None:
    assert starts(f"猫{whole}狗", "zh") == [0, 1, 1 + len(whole)]
