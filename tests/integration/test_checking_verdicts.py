"""The whole checker on real speech, right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hibari import SAMPLE_RATE, Hibari

from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip
from pipeline.checking.check import Checker
from pipeline.checking.policy import CheckPolicy
from pipeline.manifest.marks import Verdict
from pipeline.manifest.plan import Chunk
from pipeline.models.whisper import Whisper

TEXT = "The old man counted seven silver coins, and put them back into the box."
KEY = "f" * 64

Judge = Callable[..., Verdict]


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari(threads=1)


@pytest.fixture(scope="module")
def judge(whisper_dir: Path, voice: Hibari) -> Judge:
    whisper = Whisper(whisper_dir)
    aligner = Aligner(whisper)

    def verdict(spoken: str | Clip, text: str = TEXT, policy: CheckPolicy | None = None) -> Verdict:
        clip = spoken if isinstance(spoken, Clip) else Clip(voice(spoken, seed=1), SAMPLE_RATE)
        chunk = Chunk(
            index=0,
            chapter=0,
            text=text,
            sentences=(0,),
            voice="heart",
            language="en",
            pause_after_ms=0,
        )
        return Checker(whisper, policy or CheckPolicy()).check(
            chunk, clip, aligner.align(chunk, clip), KEY
        )

    return verdict


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "On March 3rd, 1879, Dr. Watson moved into 221B Baker Street.",
        "Please call 555-0199 after 6 p.m. and ask for Mrs. O'Leary.",
        "Mr. Ames paid $3.50 for the wallabelle, and left.",
        "Yes.",
        "No!",
        "You",
        "Four",
        "Eleven",
        "Book Four",
    ],
)
@pytest.mark.parametrize("mode", ["fast", "full"])
def test_right_takes_pass(judge: Judge, text: str, mode: str) -> None:
    verdict = judge(text, text, CheckPolicy(mode=mode))
    assert verdict.passed, verdict
    assert verdict.score >= 0.9


@pytest.mark.parametrize(
    "text",
    ["All that for a slow clock?", "By 2010 it had doubled.", "They walked up (there were 217)."],
)
def test_the_audio_speaks_for_words_that_whisper_writes_otherwise(judge: Judge, text: str) -> None:
    verdict = judge(text, text, CheckPolicy(mode="full"))
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("spoken", "text"),
    [("No! No!", "No!"), ("Eleven, eleven", "Eleven"), ("Orange.", "Four"), ("Book Nine", "Book")],
)
def test_a_word_alone_is_heard_as_well(judge: Judge, spoken: str, text: str) -> None:
    assert not judge(spoken, text).passed


def test_words_in_brackets_that_are_not_spoken_are_named(judge: Judge) -> None:
    verdict = judge("They climbed the steps.", "They climbed the steps (there were 217).")
    assert not verdict.passed


@pytest.mark.parametrize(
    ("spoken", "kind", "named"),
    [
        (TEXT.replace("silver ", ""), "missing", "silver"),
        (TEXT.replace("coins", "windows"), "substituted", "coins"),
        (TEXT.replace("and put them", "and put them and put them"), "repeated", "put them"),
        (TEXT + " Which is very nice to know.", "extra", "nice"),
    ],
)
def test_wrong_words_are_named(judge: Judge, spoken: str, kind: str, named: str) -> None:
    verdict = judge(spoken)
    assert not verdict.passed
    assert verdict.score < 0.9
    assert any(d.kind == kind and named in d.detail for d in verdict.defects), verdict


def test_a_take_cut_off_in_the_middle_fails(judge: Judge, voice: Hibari) -> None:
    samples = voice(TEXT, seed=1)
    assert not judge(Clip(samples[: len(samples) * 3 // 4], SAMPLE_RATE)).passed


def test_silence_fails_with_score_zero(judge: Judge) -> None:
    verdict = judge(Clip(np.zeros(2 * SAMPLE_RATE, np.float32), SAMPLE_RATE))
    assert (verdict.passed, verdict.score) == (False, 0.0)
    assert [defect.kind for defect in verdict.defects] == ["silence"]


@pytest.mark.parametrize("n_samples", [1, 100, 2000])
def test_a_click_is_no_speech(judge: Judge, n_samples: int) -> None:
    assert not judge(Clip(np.full(n_samples, 0.5, np.float32), SAMPLE_RATE)).passed


def test_the_better_of_two_bad_takes_has_the_higher_score(judge: Judge) -> None:
    one_missing = judge(TEXT.replace("silver ", ""))
    half_missing = judge("The old man counted seven.")
    assert 0 < half_missing.score < one_missing.score < 1


def test_the_same_take_always_gets_the_same_verdict(judge: Judge) -> None:
    first = judge(TEXT.replace("silver ", ""))
    judge("Something else altogether.", "Something else altogether.")
    assert judge(TEXT.replace("silver ", "")) == first


def test_off_checks_nothing() -> None:
    checker = Checker(None, CheckPolicy(mode="off"))
    chunk = Chunk(
        index=0, chapter=0, text=TEXT, sentences=(0,), voice="x", language="en", pause_after_ms=0
    )
    silence = Clip(np.zeros(100, np.float32), SAMPLE_RATE)
    verdict = checker.check(chunk, silence, None, KEY)
    assert (verdict.passed, verdict.method) == (True, "none")


def test_each_way_of_checking_has_its_own_fingerprint(whisper_dir: Path) -> None:
    whisper = Whisper(whisper_dir)
    prints = {Checker(whisper, CheckPolicy(mode=m)).fingerprint for m in ("off", "fast", "full")}
    assert len(prints) == 3
    assert {len(each) for each in prints} == {12}
