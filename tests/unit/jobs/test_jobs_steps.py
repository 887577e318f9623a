"""Of a shard that is done again, only what is missing is done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from faulty import FaultyEngine
from queued_book import QueuedBook, prepared, submitted
from servers import eventually

from pipeline import names
from pipeline.audio.clip import Clip, encode_flac
from pipeline.engines import catalogue
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import EngineError
from pipeline.jobs import records, steps
from pipeline.manifest.shard import ShardPlan
from pipeline.run.chunk import utterance
from pipeline.settings import Settings
from pipeline.store.local import LocalStore

SHARD = "0000"


class Counting(LocalStore):
    """A store that counts what it is asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.n_asked = 0

    def get(self, name: str) -> bytes | None:
        self.n_asked += 1
        return super().get(name)

    def exists(self, name: str) -> bool:
        self.n_asked += 1
        return super().exists(name)


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "store")


@pytest.fixture
def book(tmp_path: Path, store: Counting) -> QueuedBook:
    return submitted(prepared(tmp_path), store)


@pytest.fixture
def shard(book: QueuedBook) -> ShardPlan:
    return records.load_shard(book.request.id, SHARD, book.store)


@pytest.fixture
def engine(book: QueuedBook) -> Engine:
    return catalogue.load(book.request.body.render.engine, Settings(), {})


def spoken(book: QueuedBook, shard: ShardPlan, engine: Engine) -> int:
    """Speak a shard; return how many takes that were."""
    return steps.speak(shard, records.recipe(book.request, 0), engine, book.store).n_takes


def first_take(book: QueuedBook, shard: ShardPlan) -> str:
    """Return the name of the first chunk's audio."""
    return names.audio(records.recipe(book.request, 0).key(shard.chunks[0].chunk, 0))


def test_one_question_tells_that_a_chunk_is_new(
    book: QueuedBook, shard: ShardPlan, engine: Engine, store: Counting
) -> None:
    n_before = store.n_asked
    assert spoken(book, shard, engine) == len(shard.chunks)
    assert store.n_asked - n_before == len(shard.chunks)


@pytest.mark.parametrize("is_judged", [False, True])
def test_what_was_spoken_is_not_spoken_again(
    book: QueuedBook, shard: ShardPlan, engine: Engine, *, is_judged: bool
) -> None:
    spoken(book, shard, engine)
    if is_judged:
        book.work([SHARD])
    assert spoken(book, shard, engine) == 0


def test_what_this_process_has_just_stored_is_judged_without_being_fetched(
    book: QueuedBook, shard: ShardPlan, engine: Engine, store: Counting
) -> None:
    recipe = records.recipe(book.request, 0)
    stored = steps.speak(shard, recipe, engine, book.store).stored
    n_before = store.n_asked
    receipts = steps.check(shard, recipe, book.judges, book.store, stored)
    assert receipts is not None
    assert store.n_asked == n_before
    assert steps.check(shard, recipe, book.judges, book.store) == receipts, "as others find it"


def test_what_another_worker_stored_first_is_what_is_judged(
    book: QueuedBook, shard: ShardPlan, engine: Engine
) -> None:
    recipe, take = records.recipe(book.request, 0), first_take(book, shard)
    first = shard.chunks[0].chunk
    ((_, clip),) = engine.synthesize([utterance(first, recipe.key(first, 0), recipe)])
    assert isinstance(clip, Clip)
    other = encode_flac(Clip(clip.samples * np.float32(0.9), clip.sample_rate_hz))

    class Late(LocalStore):
        """Another worker is quicker by just so much that its take was not there when asked for."""

        def put_new(self, name: str, data: bytes) -> bool:
            if name == take:
                super().put_new(name, other)
            return super().put_new(name, data)

    stored = steps.speak(shard, recipe, engine, Late(book.store.root)).stored
    assert len(stored) == len(shard.chunks) - 1
    receipts = steps.check(shard, recipe, book.judges, book.store, stored)
    assert receipts is not None
    assert receipts[0].marks.audio_sha256 == hashlib.sha256(other).hexdigest()


class Dying(FaultyEngine):
    """Gives some of what it is asked for, then dies."""

    def __init__(self, n_given: int) -> None:
        super().__init__(Settings())
        self.n_given = n_given

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        yield from islice(super().synthesize(batch), self.n_given)
        raise OSError("the engine is dead")


def test_what_an_engine_gave_before_it_died_is_kept(
    book: QueuedBook, shard: ShardPlan, engine: Engine
) -> None:
    with pytest.raises(OSError, match="dead"):
        spoken(book, shard, Dying(2))
    assert spoken(book, shard, engine) == len(shard.chunks) - 2


def test_a_take_is_stored_while_the_next_is_spoken(
    book: QueuedBook, shard: ShardPlan, engine: Engine
) -> None:
    class Waiting(FaultyEngine):
        def synthesize(
            self, batch: Sequence[Utterance]
        ) -> Iterator[tuple[int, Clip | EngineError]]:
            for index, clip in super().synthesize(batch):
                yield index, clip
                eventually(lambda: book.store.exists(first_take(book, shard)), 10)

    assert spoken(book, shard, Waiting(Settings())) == len(shard.chunks)


def test_audio_that_is_gone_is_made_again_though_its_marks_are_there(
    book: QueuedBook, shard: ShardPlan, engine: Engine
) -> None:
    book.work([SHARD])
    before = book.store.get(first_take(book, shard))
    book.store.delete(first_take(book, shard))
    assert spoken(book, shard, engine) == 1
    assert book.store.get(first_take(book, shard)) == before


def test_a_take_that_was_refused_is_followed_by_one_more(
    book: QueuedBook, shard: ShardPlan, engine: Engine
) -> None:
    spoken(book, shard, engine)
    recipe, chunk = records.recipe(book.request, 0), shard.chunks[0].chunk
    book.checker.flagged[chunk.text] = 1
    assert steps.check(shard, recipe, book.judges, book.store) is None
    assert spoken(book, shard, engine) == 1
    assert book.store.exists(names.audio(recipe.key(chunk, 1)))
