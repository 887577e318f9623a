"""What workers do to a shard: speak its takes, then judge them, until every chunk is settled.

Each step looks at the store, does what is missing and writes it once. So it does not matter how
often a step is asked for, by whom, or whether the last one was killed half-way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType

from pipeline import names
from pipeline.audio.clip import Clip, encode_flac, is_sound_flac
from pipeline.engines.protocol import Engine
from pipeline.errors import CrashError, EngineError
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk
from pipeline.manifest.shard import ChunkReceipt, PlannedChunk, ShardPlan
from pipeline.run import takes
from pipeline.run.chunk import utterance
from pipeline.run.recipe import Recipe
from pipeline.run.speaking import as_done
from pipeline.run.takes import Judges
from pipeline.store.protocol import ObjectStore

#: Objects read or written at once: the engine waits for none of them one by one.
AT_ONCE = 8
#: No takes at hand.
NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a chunk is."""

    chunk: Chunk
    #: Marks of its takes so far.
    made: tuple[Marks, ...]
    #: Key of the take that is to be made or judged next; None when the chunk is settled.
    key: str | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What speaking a shard came to."""

    n_takes: int
    audio_s: float
    #: By the clock, loading of models included.
    wall_s: float
    #: What lies in the store now because of it, by the key of the take.
    stored: dict[str, bytes]


def stand(
    chunk: Chunk, recipe: Recipe, store: ObjectStore, at_hand: Mapping[str, bytes] = NOTHING
) -> Standing:
    """Find out how far a chunk is; a damaged take is removed, so that it is made anew.

    A take that is `at_hand` is not asked for: it was stored a moment ago. If another worker was
    quick enough to judge it, it is judged once more, and alike.
    """
    made: list[Marks] = []
    for take in range(recipe.max_takes):
        key = recipe.key(chunk, take)
        if key in at_hand:
            return Standing(chunk, tuple(made), key)
        marks = takes.load_marks(key, recipe.checker, store)
        if marks is None:
            return Standing(chunk, tuple(made), key)
        if not takes.is_intact(marks, store):
            discard(key, recipe, store)
            return Standing(chunk, tuple(made), key)
        made.append(marks)
        if marks.verdict.passed:
            break
    return Standing(chunk, tuple(made), None)


def speak(shard: ShardPlan, recipe: Recipe, engine: Engine, store: ObjectStore) -> Spoken:
    """Speak every take of a shard that is due and has no audio."""
    started_s = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chunks = [each.chunk for each in shard.chunks]
        keys = pool.map(lambda chunk: _unspoken(chunk, recipe, store), chunks)
        due = [(chunk, key) for chunk, key in zip(chunks, keys, strict=True) if key]
        kept, audio_s = [], 0.0
        # Stored while the others are spoken: who is killed loses no more than is in the making.
        for i, clip in as_done(engine, [utterance(chunk, key, recipe) for chunk, key in due]):
            kept.append(pool.submit(_keep, *due[i], clip, recipe, store))
            audio_s += clip.duration_s if isinstance(clip, Clip) else 0.0
        stored = dict(pair for each in kept if (pair := each.result()))
    return Spoken(len(due), audio_s, time.monotonic() - started_s, stored)


def check(
    shard: ShardPlan,
    recipe: Recipe,
    judges: Judges,
    store: ObjectStore,
    at_hand: Mapping[str, bytes] = NOTHING,
) -> tuple[ChunkReceipt, ...] | None:
    """Judge every take of a shard that has no marks.

    Takes are fetched while others are judged; judged is one at a time, for models are not shared.

    Args:
        shard: Its chunks.
        recipe: How they are made.
        judges: Who judges.
        store: Where takes and marks are.
        at_hand: Takes that this process has just stored, by key: they need not be fetched.

    Returns:
        What became of each chunk; None while one needs another take.
    """
    judging = _Judging(recipe, judges, store, at_hand)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        receipts = list(pool.map(lambda planned: _checked(planned, judging), shard.chunks))
    settled = tuple(receipt for receipt in receipts if receipt)
    return settled if len(settled) == len(receipts) else None


def give_up(chunk: Chunk, reason: str, recipe: Recipe, store: ObjectStore) -> ChunkReceipt:
    """Settle a chunk that cannot be made: its best take so far stands for it, else a gap.

    The gap is stored under a key of its own: the chunk's may be tried again any time.
    """
    made = list(stand(chunk, recipe, store).made)
    if made:
        return ChunkReceipt(index=chunk.index, n_takes=len(made), marks=takes.best(made))
    key = names.digest({"gap": recipe.sample_rate_hz})
    marks, audio = takes.failed(chunk, key, CrashError(reason), recipe)
    store.put_new(names.audio(key), audio)
    return ChunkReceipt(index=chunk.index, n_takes=0, marks=marks, failure=reason)


def discard(key: str, recipe: Recipe, store: ObjectStore) -> None:
    """Remove a take that cannot be used."""
    store.delete(names.marks(key, recipe.checker))
    store.delete(names.audio(key))


def _unspoken(chunk: Chunk, recipe: Recipe, store: ObjectStore) -> str | None:
    """Return the key of the take that must be spoken now, if one must.

    Of most chunks there is nothing yet, which one question tells.
    """
    first = recipe.key(chunk, 0)
    if not store.exists(names.audio(first)):
        return first
    key = stand(chunk, recipe, store).key
    return None if key is None or store.exists(names.audio(key)) else key


def _keep(
    chunk: Chunk, key: str, clip: Clip | EngineError, recipe: Recipe, store: ObjectStore
) -> tuple[str, bytes] | None:
    """Store what the engine gave; what another worker stored meanwhile stays.

    Returns:
        The key and the audio, if that is now in the store and waits to be judged.
    """
    if isinstance(clip, Clip):
        audio = encode_flac(clip)
        return (key, audio) if store.put_new(names.audio(key), audio) else None
    marks, audio = takes.failed(chunk, key, clip, recipe)
    store.put_new(names.audio(key), audio)
    store.put_new(names.marks(key, recipe.checker), marks.encode())
    return None


@dataclass(frozen=True, slots=True)
class _Judging:
    """What takes are judged by and with."""

    recipe: Recipe
    judges: Judges
    store: ObjectStore
    at_hand: Mapping[str, bytes]
    turn: threading.Lock = field(default_factory=threading.Lock)


def _checked(planned: PlannedChunk, judging: _Judging) -> ChunkReceipt | None:
    standing = stand(planned.chunk, judging.recipe, judging.store, judging.at_hand)
    made = list(standing.made)
    for marks in _judged(standing, planned.unspeakable, judging):
        if marks is None:
            return None
        made.append(marks)
    best = takes.best(made)
    return ChunkReceipt(index=planned.chunk.index, n_takes=len(made), marks=best)


def _judged(
    standing: Standing, unspeakable: tuple[str, ...], judging: _Judging
) -> Iterator[Marks | None]:
    """Yield the marks of further takes, judged now; None where a take must be spoken first."""
    if standing.key is None:
        return
    recipe, store = judging.recipe, judging.store
    for take in range(len(standing.made), recipe.max_takes):
        key = recipe.key(standing.chunk, take)
        audio = judging.at_hand.get(key) or store.get(names.audio(key))
        if audio is not None and not is_sound_flac(audio):
            discard(key, recipe, store)
            audio = None
        if audio is None:
            yield None
            return
        with judging.turn:
            marks = takes.judge(standing.chunk, key, audio, unspeakable, recipe, judging.judges)
        store.put_new(names.marks(key, recipe.checker), marks.encode())
        yield marks
        if marks.verdict.passed:
            return
