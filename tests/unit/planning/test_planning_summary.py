"""What a plan amounts to."""

from __future__ import annotations

import numpy as np
import pytest
from hibari import SAMPLE_RATE, Hibari

from pipeline.manifest.script import Block, Chapter, Script, Span
from pipeline.planning.duration import estimate_s
from pipeline.planning.plan import PlanOptions, plan_script
from pipeline.planning.summary import summarize

TEXT = "It was late in the year. Nobody was on the quay."


def script_of(*texts: str) -> Script:
    chapters = tuple(
        Chapter(title=f"Part {n}", blocks=(Block(kind="paragraph", spans=(Span(text=text),)),))
        for n, text in enumerate(texts, start=1)
    )
    return Script(title="Book", author="Ann", language="en", chapters=chapters)


def test_chapters_are_counted_and_add_up() -> None:
    plan = plan_script(script_of(TEXT, "The end of the book."), PlanOptions(voice="heart"))
    summary = summarize(plan)
    first, second = summary.chapters
    assert (first.title, first.n_sentences, first.n_chunks) == ("Part 1", 2, 2)
    assert (first.n_chars, second.n_chars) == (len(TEXT) - 1, 20)
    assert (summary.n_chunks, summary.n_chars) == (3, len(TEXT) - 1 + 20)
    assert summary.duration_s == pytest.approx(first.duration_s + second.duration_s)
    assert (summary.title, summary.author, summary.voices) == ("Book", "Ann", ("heart",))


def test_the_estimate_counts_speech_and_pauses() -> None:
    plan = plan_script(script_of(TEXT), PlanOptions(voice="heart"))
    spoken_s = sum(estimate_s(chunk, "en") for chunk in plan.chunks)
    paused_s = sum(chunk.pause_after_ms for chunk in plan.chunks) / 1000
    assert summarize(plan).duration_s == pytest.approx(spoken_s + paused_s)


def test_the_estimate_is_within_a_fifth_of_what_is_spoken() -> None:
    text = (
        "The harbour was quiet that morning, and nobody expected the boat to come back. "
        "It had left on 14 March 1921 with 12 men and $3,500 in the safe."
    )
    samples = Hibari(threads=1)(text, seed=1)
    active = np.flatnonzero(np.abs(samples) > 0.01)
    spoken_s = (active[-1] - active[0]) / SAMPLE_RATE
    assert estimate_s(text, "en") == pytest.approx(spoken_s, rel=0.2)


def test_a_digit_takes_longer_than_a_letter_and_a_han_letter_than_kana() -> None:
    assert estimate_s("40", "en") > estimate_s("to", "en")
    assert estimate_s("東京", "ja") > estimate_s("とう", "ja")
    assert estimate_s("안녕", "ko") > estimate_s("an", "en")
