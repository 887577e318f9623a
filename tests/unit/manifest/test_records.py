from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import names
from pipeline.errors import CorruptObjectError
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
