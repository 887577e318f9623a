"""Word timings by Whisper, for languages without an acoustic model of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.truth import Spoken, Teller
from pipeline.assembly.alignment.align import Aligner
from pipeline.assembly.alignment.heard import by_hearing
from pipeline.assembly.alignment.words import split_words
from pipeline.audio.clip import Clip
from pipeline.manifest.plan import Chunk
from pipeline.models.mel import SAMPLE_RATE_HZ
from pipeline.models.whisper import MIN_SAMPLES, STEP_S, Whisper

pytestmark = pytest.mark.models

SENTENCES = (
    "The kettle sang, the door stood open, and nobody was at home.",
    "A grey cat slept on the warm stones until the sun went down.",
)


@pytest.fixture(scope="module")
def whisper(whisper_dir: Path) -> Whisper:
    return Whisper(whisper_dir)


@pytest.fixture(scope="module")
def spoken() -> list[Spoken]:
    teller = Teller()
    return [teller.speak(sentence) for sentence in SENTENCES]


def chunk(text: str, language: str) -> Chunk:
    return Chunk(
        index=0,
        chapter=0,
        text=text,
        sentences=(0,),
        voice="someone",
        language=language,
        pause_after_ms=0,
    )


def test_whisper_places_plain_words(whisper: Whisper, spoken: list[Spoken]) -> None:
    misses_s: list[float] = []
    for truth in spoken:
        words = split_words(truth.text, "en")
        found = by_hearing(whisper, chunk(truth.text, "en"), words, truth.clip)
        assert found is not None
        starts = [span.start_s for span in found if span]
        misses_s += np.abs(np.subtract(starts, truth.starts_s))[1:].tolist()
    assert np.median(misses_s) < 0.060
    assert np.percentile(misses_s, 95) < 0.200


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Der Kessel pfiff, die Tür — sie stand offen, und niemand war da."),
        ("fr", "Le chat gris dormait là ; qu'a-t-il vu ?"),
        ("zh", "猫在睡觉，World 42，没有人。"),
        ("ja", "猫は「眠い」と言った。"),
    ],
)
def test_every_word_of_any_language_is_timed_once_and_in_order(
    whisper: Whisper, spoken: list[Spoken], language: str, text: str
) -> None:
    clip: Clip = spoken[0].clip
    words = Aligner(whisper).align(chunk(text, language), clip)
    assert words is not None
    assert tuple(word.text for word in words) == split_words(text, language)
    edges = [edge for word in words for edge in (word.start_sample, word.end_sample)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= len(clip.samples)


@pytest.mark.parametrize("duration_s", [0.02, 2.0, 29.6, 31.0])
def test_exact_times_lie_in_the_audio_and_not_in_the_silence_after_it(
    whisper: Whisper, spoken: list[Spoken], duration_s: float
) -> None:
    rate_hz = spoken[0].clip.sample_rate_hz
    samples = np.resize(spoken[0].clip.samples, round(duration_s * rate_hz))
    found = whisper.align(Clip(samples, rate_hz), spoken[0].text, "en", precise=True)
    edges = [edge for word in found for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert edges[-1] <= max(min(duration_s, 30.0), MIN_SAMPLES / SAMPLE_RATE_HZ) + STEP_S


def test_a_chunk_is_timed_alike_whatever_was_timed_before(
    whisper_dir: Path, spoken: list[Spoken]
) -> None:
    texts = [chunk(truth.text, "de") for truth in spoken]
    clips = [truth.clip for truth in spoken]
    one, other = Aligner(Whisper(whisper_dir)), Aligner(Whisper(whisper_dir))
    forward = [one.align(text, clip) for text, clip in zip(texts, clips, strict=True)]
    backward = [other.align(texts[at], clips[at]) for at in (1, 0)]
    assert None not in forward
    assert backward[::-1] == forward


def test_without_whisper_another_language_is_timed_in_proportion(spoken: list[Spoken]) -> None:
    aligner = Aligner(None)
    text = chunk("Der Kessel pfiff, und niemand war da.", "de")
    assert aligner.align(text, spoken[0].clip) == aligner.fallback(text, spoken[0].clip)
