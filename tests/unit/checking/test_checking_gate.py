from __future__ import annotations

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.checking.gate import Evidence, weigh
from pipeline.checking.policy import ENGLISH, CheckPolicy
from pipeline.manifest.marks import Word
from pipeline.models.whisper import AlignedWord

RATE = 24_000
TEXT = ("the", "lid", "of", "chests")


def tone(seconds: float) -> Clip:
    time = np.arange(int(seconds * RATE)) / RATE
    return Clip(np.asarray(0.2 * np.sin(2 * np.pi * 200 * time), np.float32), RATE)


def timed(*spans_s: tuple[float, float]) -> tuple[Word, ...]:
    return tuple(
        Word(text=text, start_sample=round(start * RATE), end_sample=round(end * RATE))
        for text, (start, end) in zip(TEXT, spans_s, strict=True)
    )


def heard(*probabilities: float) -> list[AlignedWord]:
    return [AlignedWord(t, 0.0, 0.0, p) for t, p in zip(TEXT, probabilities, strict=True)]


SURE = heard(0.9, 0.9, 0.9, 0.9)
EVEN = timed((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 1.0))


def evidence(
    aligned: list[AlignedWord], words: tuple[Word, ...] | None, seconds: float = 1.0
) -> Evidence:
    return weigh(tone(seconds), aligned, words, "en", ENGLISH)


def test_words_that_are_probable_and_even_are_sure() -> None:
    found = evidence(SURE, EVEN)
    assert not found.is_suspect(ENGLISH)
    assert found.defects(ENGLISH) == []


def test_an_improbable_word_makes_a_take_suspect() -> None:
    found = evidence(heard(0.9, 0.1, 0.9, 0.9), EVEN)
    assert found.is_suspect(ENGLISH)
    assert found.weakest == "lid"
    assert found.defects(ENGLISH) == []


def test_an_impossible_word_is_missing() -> None:
    (defect,) = evidence(heard(0.9, 1e-5, 0.9, 0.9), EVEN).defects(ENGLISH)
    assert (defect.kind, defect.detail) == ("missing", "'lid' is not heard")


def test_a_word_far_longer_than_its_sounds_hides_other_speech() -> None:
    long = timed((0.0, 0.2), (0.2, 1.8), (1.8, 2.0), (2.0, 2.4))
    (defect,) = evidence(SURE, long, 2.4).defects(ENGLISH)
    assert defect.kind == "extra"
    assert "'lid'" in defect.detail


def test_speech_that_no_word_claims_is_extra() -> None:
    (defect,) = evidence(SURE, EVEN, 2.0).defects(ENGLISH)
    assert (defect.kind, defect.detail) == ("extra", "1.0 s of other speech after 'chests'")


def test_a_refusal_of_the_aligner_fails_a_doubtful_take() -> None:
    (defect,) = evidence(heard(0.9, 0.9, 0.9, 0.2), None).defects(ENGLISH)
    assert defect.kind == "unaligned"


def test_a_number_may_be_spoken_with_pauses_inside() -> None:
    number = Word(text="555-0199", start_sample=0, end_sample=round(2.4 * RATE))
    word = [AlignedWord("555-0199", 0.0, 2.4, 0.9)]
    assert weigh(tone(2.4), word, (number,), "en", ENGLISH).defects(ENGLISH) == []


def test_one_take_in_ten_is_audited_by_its_key_alone() -> None:
    policy = CheckPolicy()
    keys = [f"{key:064x}" for key in range(1000)]
    audited = [policy.audits(key) for key in keys]
    assert sum(audited) == 100
    assert audited == [CheckPolicy().audits(key) for key in keys]


def test_the_full_mode_audits_every_take() -> None:
    assert all(CheckPolicy(mode="full").audits(f"{key:064x}") for key in range(20))
