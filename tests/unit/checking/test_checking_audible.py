from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checking.audible import probabilities
from pipeline.checking.policy import ENGLISH
from pipeline.checking.spoken import comparable
from pipeline.models.whisper import AlignedWord


def aligned(text: str, *probabilities: float) -> list[AlignedWord]:
    words = [word if at == 0 else f" {word}" for at, word in enumerate(text.split(" "))]
    return [AlignedWord(w, 0.0, 0.0, p) for w, p in zip(words, probabilities, strict=True)]


def test_each_word_keeps_its_own_probability() -> None:
    text = "My cousin in Harrow"
    assert probabilities(text, aligned(text, 0.9, 0.8, 0.35, 0.5), "en") == [0.9, 0.8, 0.35, 0.5]


def test_a_short_form_has_the_probability_of_its_word_in_each_part() -> None:
    text = "We didn't go"
    assert probabilities(text, aligned(text, 0.9, 0.3, 0.8), "en") == [0.9, 0.3, 0.3, 0.8]


def test_words_that_make_one_number_are_as_probable_as_the_least_of_them() -> None:
    text = "About four and a half hours"
    found = probabilities(text, aligned(text, 0.9, 0.8, 0.2, 0.7, 0.6, 0.9), "en")
    assert found == [0.9, 0.2, 0.9]


def test_what_was_not_aligned_has_nothing_to_speak_for_it() -> None:
    assert probabilities("He spoke", aligned("He", 0.9), "en") == pytest.approx([0.9, 0.0])


def test_the_more_sounds_differ_the_surer_the_words_must_be() -> None:
    needed = [ENGLISH.audible(n, 0.8) for n in range(10)]
    assert needed == sorted(needed)
    assert needed[0] < needed[-1] < 1


@given(
    st.lists(
        st.sampled_from(
            ["twenty", "one", "7", "$3.50", "(so)", "didn't", "9:40", "well-known", "Ch.", "—"]
        ),
        max_size=8,
    )
)
@settings(max_examples=50, deadline=None)
def test_every_comparable_word_has_a_probability(words: list[str]) -> None:
    text = " ".join(words)
    found = probabilities(text, aligned(text, *[0.5] * max(1, len(words))), "en")
    assert len(found) == len(comparable(text, "en"))
