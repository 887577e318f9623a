"""English word timings against speech whose word times the engine itself tells."""

from __future__ import annotations

import numpy as np
import pytest
from hibari import SAMPLE_RATE, Hibari

from bench.truth import Spoken, Teller
from pipeline.assembly.alignment.align import Aligner
from pipeline.assembly.alignment.words import split_words
from pipeline.audio.clip import Clip
from pipeline.audio.energy import speech_span
from pipeline.manifest.marks import Word
from pipeline.manifest.plan import Chunk

#: `<n>`: the written word before it is spoken as n words.
SENTENCES = (
    "The kettle sang, the door stood open, and nobody was at home.",
    "A grey cat slept on the warm stones until the sun went down.",
    "On June 3, 1904,<3> Dr. Hale paid $2.50<5> for a lamp.",
    "The bus of 6:45<2> pm carried 31<2> people and 2 goats.",
    "Mr. Orme —<0> they say —<0> walked 14 km on 2/10/1988.<5>",
)


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return Aligner(None)


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    teller = Teller()
    return [teller.speak(sentence) for sentence in SENTENCES]


def chunk(text: str) -> Chunk:
    return Chunk(
        index=0,
        chapter=0,
        text=text,
        sentences=(0,),
        voice="heart",
        language="en",
        pause_after_ms=0,
    )


def assert_well_formed(words: tuple[Word, ...], text: str, clip: Clip) -> None:
    assert tuple(word.text for word in words) == split_words(text, "en")
    edges = [edge for word in words for edge in (word.start_sample, word.end_sample)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= len(clip.samples)


def test_words_start_where_the_engine_started_them(aligner: Aligner, spoken: list[Spoken]) -> None:
    misses_s: list[float] = []
    for truth in spoken:
        words = aligner.align(chunk(truth.text), truth.clip)
        assert words is not None
        assert_well_formed(words, truth.text, truth.clip)
        starts = [word.start_sample / SAMPLE_RATE for word in words if word.text != "—"]
        told = [s for s, word in zip(truth.starts_s, words, strict=True) if word.text != "—"]
        misses_s += np.abs(np.subtract(starts, told)).tolist()
    assert np.median(misses_s) < 0.025
    assert np.percentile(misses_s, 95) < 0.080


def test_the_first_word_starts_and_the_last_ends_with_the_speech(
    aligner: Aligner, spoken: list[Spoken]
) -> None:
    words = aligner.align(chunk(spoken[0].text), spoken[0].clip)
    span = speech_span(spoken[0].clip)
    assert words is not None
    assert (words[0].start_sample, words[-1].end_sample) == (span.start, span.end)


def test_the_same_clip_gives_the_same_times_whatever_was_aligned_before(
    aligner: Aligner, spoken: list[Spoken]
) -> None:
    fresh = Aligner(None).align(chunk(spoken[1].text), spoken[1].clip)
    aligner.align(chunk(spoken[2].text), spoken[2].clip)
    assert aligner.align(chunk(spoken[1].text), spoken[1].clip) == fresh


@pytest.mark.parametrize("kept", [0.5, 0.75])
def test_speech_that_breaks_off_is_refused(
    aligner: Aligner, spoken: list[Spoken], kept: float
) -> None:
    clip = spoken[0].clip
    cut = Clip(clip.samples[: int(len(clip.samples) * kept)], clip.sample_rate_hz)
    assert aligner.align(chunk(spoken[0].text), cut) is None


def test_another_text_is_refused(aligner: Aligner, spoken: list[Spoken]) -> None:
    assert aligner.align(chunk(SENTENCES[0] + " " + SENTENCES[1]), spoken[0].clip) is None


@pytest.mark.parametrize("n_samples", [0, 10, 500, SAMPLE_RATE])
def test_silence_is_refused_and_still_gets_a_fallback(aligner: Aligner, n_samples: int) -> None:
    clip = Clip(np.zeros(n_samples, np.float32), SAMPLE_RATE)
    assert aligner.align(chunk("Anybody there?"), clip) is None
    assert_well_formed(aligner.fallback(chunk("Anybody there?"), clip), "Anybody there?", clip)


def test_loud_noise_never_breaks_the_aligner(aligner: Aligner) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, SAMPLE_RATE * 2).astype(np.float32)
    for samples in (noise, noise[:700], noise[:50]):
        clip = Clip(samples, SAMPLE_RATE)
        words = aligner.align(chunk("Twenty-one people waited."), clip)
        assert words is None or len(words) == 3


def test_a_text_without_anything_to_say_is_not_refused(aligner: Aligner) -> None:
    clip = Clip(np.zeros(2400, np.float32), SAMPLE_RATE)
    words = aligner.align(chunk("— …"), clip)
    assert words is not None
    assert [word.text for word in words] == ["—", "…"]


def test_quiet_speech_is_aligned_like_loud_speech(aligner: Aligner, spoken: list[Spoken]) -> None:
    truth = spoken[1]
    quiet = Clip((truth.clip.samples * 0.1).astype(np.float32), SAMPLE_RATE)
    words = aligner.align(chunk(truth.text), quiet)
    assert words is not None
    misses_s = [
        w.start_sample / SAMPLE_RATE - s for w, s in zip(words, truth.starts_s, strict=True)
    ]
    assert np.max(np.abs(misses_s)) < 0.1


def test_the_fallback_covers_the_speech(aligner: Aligner) -> None:
    text = "Two small boats, one long rope."
    clip = Clip(np.asarray(Hibari(threads=1)(text, seed=3), np.float32), SAMPLE_RATE)
    words = aligner.fallback(chunk(text), clip)
    assert_well_formed(words, text, clip)
    span = speech_span(clip)
    assert (words[0].start_sample, words[-1].end_sample) == (span.start, span.end)
