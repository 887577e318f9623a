"""English numbers in words."""

from __future__ import annotations

import pytest

from pipeline.engines.gpt_sovits.text.english.number_words import cardinal, ordinal, pairs, suffixed


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (21, "twenty-one"),
        (1001, "one thousand and one"),
        (
            1234567,
            "one million, two hundred and thirty-four thousand, five hundred and sixty-seven",
        ),
        (10**33, "one decillion"),
        (10**36, "one" + " zero" * 36),
    ],
)
def test_numbers_are_named_as_far_as_names_go(number: int, words: str) -> None:
    assert cardinal(number) == words


def test_the_and_can_be_left_out() -> None:
    assert cardinal(1201, joins=False) == "one thousand, two hundred one"


@pytest.mark.parametrize(
    ("number", "words", "short"),
    [
        (1, "first", "1st"),
        (12, "twelfth", "12th"),
        (20, "twentieth", "20th"),
        (113, "one hundred and thirteenth", "113th"),
        (122, "one hundred and twenty-second", "122nd"),
    ],
)
def test_ordinals_end_as_they_are_said(number: int, words: str, short: str) -> None:
    assert (ordinal(number), suffixed(number)) == (words, short)


def test_years_are_read_in_pairs() -> None:
    assert [pairs(year) for year in (1066, 1905, 2024)] == [
        "ten sixty-six",
        "nineteen oh five",
        "twenty twenty-four",
    ]
