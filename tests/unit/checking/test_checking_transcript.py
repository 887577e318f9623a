from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checking.policy import ENGLISH
from pipeline.checking.transcript import Difference, differences

WORDS = ("river", "window", "seven", "marble", "whistle", "garden", "captain", "orange")
#: No numbers: "seven seven seven" becomes one number, which sounds much like one digit more.
PLAIN_WORDS = st.lists(
    st.sampled_from(
        ["river", "window", "basket", "marble", "whistle", "garden", "captain", "orange"]
    ),
    min_size=1,
    max_size=8,
)


def wrong(text: str, transcript: str, language: str = "en") -> list[Difference]:
    found = differences(text, transcript, language)
    return [each for each in found if each.distance > ENGLISH.max_distance]


@pytest.mark.parametrize(
    ("text", "transcript"),
    [
        ("Mr. Ames paid seven dollars.", "Mister Aims paid $7."),
        ("The wallabelle sang.", "The walla bell sang."),
        ("It cost $3.50 in 1879.", "It cost 3 dollars and 50 cents in 1879."),
        ("King Henry VIII married six times.", "King Henry the Eighth married 6 times."),
        ("The colour of the harbour", "the color of the harbor"),
        ("Temperatures dropped to -5°C.", "Temperatures dropped to minus 5 degrees Celsius."),
        ("About four and a half hours.", "about 4 and a half hours"),
        ("They didn't go.", "They did not go."),
        ("The rent is due at 6 p.m.", "The rent is do at 6pm"),
        ("They took the 9:40 train.", "They took the 940 train."),
        ("It cost £50.", "It cost fifty pounds."),
        ("Ch. 5: the well-known half-empty jar", "Chapter five, the well known half empty jar."),
        ("He counted the steps (there were 217).", "He counted the steps, there were 217."),
    ],
)
def test_what_sounds_the_same_is_the_same(text: str, transcript: str) -> None:
    assert wrong(text, transcript) == []


@pytest.mark.parametrize(
    ("transcript", "kind", "detail"),
    [
        ("He lifted the of the chest.", "missing", "'lid' is missing after 'the'"),
        ("He lifted the lid of the", "truncated", "'chest' is missing after 'the'"),
        (
            "He lifted the lid the lid of the chest.",
            "repeated",
            "'the lid' is repeated after 'lid'",
        ),
        (
            "He lifted the lid of the basket.",
            "substituted",
            "'chest' was heard as 'basket' after 'the'",
        ),
        ("He lifted the lid of the chest and sang", "extra", "'and sang' is extra after 'chest'"),
        ("lifted the lid of the chest", "missing", "'he' is missing at the start"),
    ],
)
def test_a_wrong_word_is_named(transcript: str, kind: str, detail: str) -> None:
    (found,) = wrong("He lifted the lid of the chest.", transcript)
    assert (found.kind, found.detail) == (kind, detail)


def test_words_in_brackets_must_be_heard() -> None:
    (found,) = wrong("He counted the steps (there were 217) aloud.", "He counted the steps aloud.")
    assert found.written == ("there", "were", "217")


def test_an_added_word_is_told_from_its_misspelt_neighbour() -> None:
    (found,) = wrong("The ferry sails at noon.", "The The Fairy sails at noon.")
    assert (found.kind, found.detail) == ("repeated", "'the' is repeated after 'the'")


def test_a_word_heard_as_two_is_not_parted() -> None:
    assert wrong("The wallabelle sang.", "The wall a bell sang.") == []


def test_an_empty_transcript_misses_everything() -> None:
    (found,) = wrong("Nobody spoke.", "")
    assert found.written == ("nobody", "spoke")


def test_chinese_is_compared_by_character() -> None:
    assert wrong("我们吃了一个苹果。", "我们吃了一个苹果", "zh") == []
    (found,) = wrong("我们吃了一个苹果。", "我们吃了苹果", "zh")
    assert found.written == ("一", "个")


@given(PLAIN_WORDS)
@settings(max_examples=30, deadline=None)
def test_a_text_never_differs_from_itself(words: list[str]) -> None:
    assert differences(" ".join(words), " ".join(words).upper() + ".", "en") == []


@given(PLAIN_WORDS, st.data())
@settings(max_examples=30, deadline=None)
def test_a_dropped_word_is_always_noticed(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words) - 1))
    left = words[:at] + words[at + 1 :]
    assert wrong(" ".join(words), " ".join(left))
