from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import names
from pipeline.errors import CorruptObjectError
from pipeline.manifest.marks import Marks, Verdict, Word
from pipeline.manifest.plan import Chunk, Reading
from pipeline.manifest.script import Cover

chunks = st.builds(
    Chunk,
    index=st.integers(0, 99),
    chapter=st.integers(0, 9),
    text=st.text(min_size=1),
    sentences=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    voice=st.text(max_size=5),
    language=st.sampled_from(["en", "zh"]),
    readings=st.lists(
        st.builds(Reading, start=st.integers(0, 4), end=st.integers(5, 9), respelling=st.text()),
        max_size=2,
    ).map(tuple),
    pause_after_ms=st.integers(0, 3000),
)


@given(chunks)
def test_a_record_comes_back_as_it_was_written(chunk: Chunk) -> None:
    assert Chunk.decode(chunk.encode()) == chunk


@given(st.binary(max_size=64))
def test_binary_fields_survive(data: bytes) -> None:
    cover = Cover(media_type="image/png", data=data)
    assert Cover.decode(cover.encode()) == cover


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(CorruptObjectError, match="Not a Cover"):
        Cover.decode(b'{"media_type": "image/png", "data": "", "size": 3}')


@given(chunks, st.integers(0, 99), st.integers(0, 3000))
def test_a_key_does_not_depend_on_where_the_chunk_stands(
    chunk: Chunk, index: int, pause_after_ms: int
) -> None:
    moved = chunk.model_copy(update={"index": index, "pause_after_ms": pause_after_ms})
    assert key(chunk) == key(moved)


@given(chunks, st.sampled_from(["text", "language", "readings"]))
def test_a_key_depends_on_everything_that_changes_the_sound(chunk: Chunk, field: str) -> None:
    other = {
        "text": chunk.text + "x",
        "language": "ja",
        "readings": (*chunk.readings, Reading(start=0, end=1, phonemes="a")),
    }
    assert key(chunk) != key(chunk.model_copy(update={field: other[field]}))


def test_a_key_depends_on_voice_engine_speed_seed_and_take() -> None:
    chunk = Chunk(
        index=0, chapter=0, text="A", sentences=(0,), voice="v", language="en", pause_after_ms=0
    )
    keys = {
        key(chunk),
        key(chunk, voice_revision="other"),
        key(chunk, engine_fingerprint="other"),
        key(chunk, speed=1.1),
        key(chunk, seed=1),
        key(chunk, take=1),
    }
    assert len(keys) == 6


def key(chunk: Chunk, **fields: object) -> str:
    given = {"voice_revision": "r", "engine_fingerprint": "e", "speed": 1.0, "seed": 0, "take": 0}
    return names.take_key(chunk, **(given | fields))  # type: ignore[arg-type]


def marks_of(*words: Word) -> Marks:
    return Marks(
        key="k",
        audio_sha256="0" * 64,
        sample_rate_hz=24_000,
        n_samples=48_000,
        speech_start=0,
        speech_end=48_000,
        words=words,
        verdict=Verdict(passed=True, score=1.0, method="none"),
    )


def test_words_are_as_closed_as_other_records() -> None:
    marks = marks_of(Word(text="tide", start_sample=0, end_sample=9))
    assert Marks.decode(marks.encode()) == marks
    with pytest.raises(CorruptObjectError, match="words"):
        Marks.decode(marks.encode().replace(b'"text"', b'"pitch": 1, "text"'))
    with pytest.raises(AttributeError):
        marks.words[0].text = "clock"  # type: ignore[misc]


def test_a_book_of_words_fits_in_memory() -> None:
    n_words = 20_000
    stored = marks_of(
        *(Word(text=f"w{i}", start_sample=i, end_sample=i + 999) for i in range(n_words))
    ).encode()
    tracemalloc.start()
    held = Marks.decode(stored)
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(held.words) == n_words
    assert size_bytes / n_words < 250
