"""What Whisper writes of a word or two is taken for what it is worth."""

from __future__ import annotations

import pytest

from pipeline.checking.policy import CHINESE, ENGLISH
from pipeline.checking.short import fitting, is_beyond_hearing, is_no_guess


@pytest.mark.parametrize(
    ("transcript", "speech_s", "said"),
    [
        ("2 2", 0.3, "2"),
        ("No. No.", 0.32, "no"),
        ("two two two two two two two", 0.33, "two"),
        ("Come in. Come in. Come in.", 0.6, "come in"),
        ("No. No.", 0.7, "No. No."),  # there is time for both
        ("No. No. No. No.", 0.7, "no no no"),
        ("Anna.", 0.1, "Anna."),  # said once is said once
        ("Anna, Hannah.", 0.3, "Anna, Hannah."),  # no loop
        ("", 0.0, ""),
    ],
)
def test_repetitions_that_there_is_no_time_for_are_not_believed(
    transcript: str, speech_s: float, said: str
) -> None:
    assert fitting(transcript, speech_s, "en", ENGLISH) == said


def test_chinese_is_counted_by_characters() -> None:
    assert fitting("不要不要不要", 0.5, "zh", CHINESE).split() == ["不", "要"]
    assert fitting("不要不要", 1.0, "zh", CHINESE) == "不要不要"


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("To", "To", True),
        ("Four", "Book Four", True),
        ("twenty-one", "He was twenty-one.", True),
        ("of", "Yes, of course.", False),
    ],
)
def test_a_word_alone_and_a_number_cannot_be_guessed(word: str, text: str, expected: bool) -> None:
    assert is_no_guess(word, text, "en") is expected


@pytest.mark.parametrize(
    ("text", "heard", "expected"),
    [
        ("Oh!", "L", True),
        ("Us", "As", True),
        ("Oh!", "", False),
        ("Oh!", "Emily", False),
        ("Robert", "I", False),
    ],
)
def test_a_sound_or_two_are_too_short_to_be_told_from_others(
    text: str, heard: str, expected: bool
) -> None:
    assert is_beyond_hearing(text, heard, "en", ENGLISH) is expected
