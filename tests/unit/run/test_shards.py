"""Chunks go through the engine together, and what befalls one does not befall the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Capabilities, Utterance
from pipeline.errors import EngineError
from pipeline.manifest.marks import Verdict
from pipeline.manifest.plan import Chunk, Plan, PlannedChapter
from pipeline.run.chunk import Stages, settle
from pipeline.run.events import ChunkDone, Planned
from pipeline.run.recipe import Recipe
from pipeline.run.render import _Speaking
from pipeline.run.shards import cut, halves
from pipeline.run.stages import Settled, SettledShard, Shard
from pipeline.run.stopwatch import Stopwatch
from pipeline.run.takes import Judges, load_audio
from pipeline.settings import Settings
from pipeline.store.local import LocalStore


def chunk(index: int, text: str = "Eins zwei.", voice: str = "v", language: str = "xx") -> Chunk:
    return Chunk(
        index=index, chapter=0, text=text, sentences=(index,), voice=voice, language=language,
        pause_after_ms=100,
    )  # fmt: skip


chunks_of_a_book = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from("ab"), st.sampled_from(["zh", "en"])), max_size=60
).map(
    lambda rows: [
        chunk(index, "x" * length, voice, language)
        for index, (length, voice, language) in enumerate(rows)
    ]
)


# --- Cutting --------------------------------------------------------------------------------


@given(chunks_of_a_book, st.integers(1, 20))
def test_every_chunk_is_in_one_shard_and_no_shard_is_too_large(
    chunks: list[Chunk], size: int
) -> None:
    shards = cut(chunks, size)
    assert sorted(each.index for shard in shards for each in shard) == list(range(len(chunks)))
    assert all(1 <= len(shard) <= size for shard in shards)


@given(chunks_of_a_book, st.integers(2, 20))
def test_a_shard_has_one_voice_and_language_and_the_longest_go_first(
    chunks: list[Chunk], size: int
) -> None:
    shards = cut(chunks, size)
    assert all(len({(each.voice, each.language) for each in shard}) == 1 for shard in shards)
    for shard in [tuple(shard[0] for shard in shards), *shards]:
        lengths = [len(each.text) for each in shard]
        assert lengths == sorted(lengths, reverse=True)


@given(chunks_of_a_book)
def test_one_by_one_chunks_keep_the_order_of_the_book(chunks: list[Chunk]) -> None:
    assert [each.index for (each,) in cut(chunks, 1)] == list(range(len(chunks)))


@given(chunks_of_a_book.filter(lambda chunks: len(chunks) > 1))
def test_halves_are_smaller_and_hold_the_same(chunks: list[Chunk]) -> None:
    shard = tuple(chunks)
    first, second = halves(shard)
    assert first + second == shard
    assert min(len(first), len(second)) >= 1


# --- Speaking, in real processes ------------------------------------------------------------

RECIPE = Recipe(
    engine="humming",
    engine_fingerprint="1",
    sample_rate_hz=8000,
    voice_revisions={"v": "r", "w": "s"},
    checker="c",
    speed=1.0,
    seed=0,
    max_takes=2,
)


class Humming:
    """Hums; a poisoned text kills its process, and one that is refused fails alone."""

    name = "humming"
    default_voice = "v"
    capabilities = Capabilities(frozenset({"xx"}), False, 8000, 100, 4)

    def __init__(self, log: Path) -> None:
        self.log = log

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        return ()

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        with self.log.open("a", encoding="utf-8") as file:
            file.write("|".join(each.text for each in batch) + "\n")
        if any("poison" in each.text for each in batch):
            os._exit(9)
        return enumerate(map(self.hum, batch))

    @staticmethod
    def hum(utterance: Utterance) -> Clip | EngineError:
        if "refused" in utterance.text:
            return EngineError("no voice today")
        phase = np.arange(800) * (0.1 + utterance.seed % 97 / 1000)
        return Clip((0.3 * np.sin(phase)).astype(np.float32), 8000)


class Content:
    """Passes every take."""

    def check(self, *_: object) -> Verdict:
        return Verdict(passed=True, score=1.0, method="gate")


@dataclass(frozen=True)
class Workshop:
    """As the real one, with an engine that misbehaves."""

    store_root: Path
    log: Path
    settings: Settings

    def open(self) -> Callable[[Shard], SettledShard]:
        engine: Any = Humming(self.log)
        checker: Any = Content()
        stages = Stages(
            engine, Judges(Aligner(None), checker, Stopwatch()), LocalStore(self.store_root)
        )

        def work(shard: Shard) -> SettledShard:
            return SettledShard(tuple(Settled(*each) for each in settle(shard, RECIPE, stages)), {})

        return work


@dataclass(frozen=True)
class Job:
    """What speaking needs to know of a job."""

    plan: Plan
    recipe: Recipe = RECIPE
    batch: int = 4
    threads: int = 1
    id: str = "job"
    notes: tuple[str, ...] = ()


@dataclass
class Spoken:
    """What came of a job."""

    marks: dict[int, Any]
    told: list[Any]
    batches: list[list[str]]


@pytest.fixture
def speak(tmp_path: Path) -> Callable[..., Spoken]:
    """Speak texts with so many processes; the store stays for the next call."""

    def speak(*texts: str, jobs: int = 2, batch: int = 4) -> Spoken:
        chunks = tuple(chunk(index, text) for index, text in enumerate(texts))
        chapter = PlannedChapter(title="", first_chunk=0, n_chunks=len(chunks))
        plan = Plan(
            title="", author=None, language="en", chapters=(chapter,), sentences=(), chunks=chunks
        )
        log = tmp_path / "log"
        log.write_text("", encoding="utf-8")
        store, told = LocalStore(tmp_path / "store"), []
        workshop = Workshop(store.root, log, Settings(jobs=jobs))
        job: Any = Job(plan, batch=batch)
        speaking = _Speaking(job, store, workshop, told.append)  # type: ignore[arg-type]
        marks = speaking.run()
        batches = [line.split("|") for line in log.read_text(encoding="utf-8").splitlines()]
        return Spoken(marks, told, batches)

    return speak


TEXTS = tuple(f"Nummer {n} hier." for n in range(9))


def flagged(spoken: Spoken) -> list[int]:
    return [index for index, marks in spoken.marks.items() if not marks.verdict.passed]


def test_every_chunk_is_spoken_once_in_batches(speak: Callable[..., Spoken]) -> None:
    spoken = speak(*TEXTS)
    assert sorted(spoken.marks) == list(range(9))
    assert not flagged(spoken)
    assert sorted(text for batch in spoken.batches for text in batch) == sorted(TEXTS)
    assert sorted(map(len, spoken.batches)) == [1, 4, 4]
    done = [event for event in spoken.told if isinstance(event, ChunkDone)]
    assert [event.n_done for event in done] == list(range(1, 10))


@pytest.mark.slow
def test_a_chunk_that_kills_its_process_is_flagged_and_no_other(
    speak: Callable[..., Spoken], tmp_path: Path
) -> None:
    spoken = speak(*TEXTS[:5], "Das ist poison.", *TEXTS[5:])
    assert flagged(spoken) == [5]
    assert "crashed" in spoken.marks[5].verdict.defects[0].detail
    store = LocalStore(tmp_path / "store")
    for index, marks in spoken.marks.items():
        assert load_audio(marks, store).samples.any() == (index != 5)


@pytest.mark.slow
def test_what_was_spoken_before_the_crash_is_not_spoken_again(speak: Callable[..., Spoken]) -> None:
    speak(*TEXTS)
    spoken = speak(*TEXTS, "Das ist poison.", "Und noch eines.")
    planned = next(event for event in spoken.told if isinstance(event, Planned))
    assert (planned.n_cached, planned.n_chunks) == (9, 11)
    assert not {text for batch in spoken.batches for text in batch} & set(TEXTS)
    assert flagged(spoken) == [9]


@pytest.mark.slow
def test_two_poisoned_chunks_of_one_shard_are_both_found(speak: Callable[..., Spoken]) -> None:
    spoken = speak("poison eins", "Nummer zwei", "Nummer drei", "poison vier", jobs=1)
    assert flagged(spoken) == [0, 3]


def test_a_chunk_that_is_refused_fails_alone(speak: Callable[..., Spoken]) -> None:
    spoken = speak(*TEXTS[:2], "Das wird refused.", TEXTS[2])
    assert flagged(spoken) == [2]
    # A second take is made of it, and of it alone.
    assert [batch for batch in spoken.batches if len(batch) == 1] == [["Das wird refused."]]


def test_the_same_text_twice_is_spoken_once(speak: Callable[..., Spoken]) -> None:
    spoken = speak("Ja.", "Nein doch.", "Ja.")
    assert sorted(text for batch in spoken.batches for text in batch) == ["Ja.", "Nein doch."]
    assert spoken.marks[0] == spoken.marks[2]


def test_batches_of_any_size_give_the_same_takes(
    speak: Callable[..., Spoken], tmp_path: Path
) -> None:
    marks = speak(*TEXTS, jobs=1, batch=1).marks
    for path in (tmp_path / "store").rglob("*.*"):
        path.unlink()
    assert speak(*TEXTS, jobs=2, batch=5).marks == marks
