"""The stage of chunks: synthesize, align, check, store; again with another seed if it fails.

Everything here is a function of the chunk, the recipe and the models: it does not matter which
process runs it, when, how often, or what was run before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import names
from pipeline.audio.clip import Clip, encode_flac, is_sound_flac
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import EngineError
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk
from pipeline.run import takes
from pipeline.run.recipe import Recipe
from pipeline.run.speaking import speak
from pipeline.run.takes import Judges
from pipeline.store.protocol import ObjectStore


@dataclass(frozen=True, slots=True)
class Stages:
    """The models that work on a chunk; one set a process."""

    engine: Engine
    judges: Judges
    store: ObjectStore


def settled(chunk: Chunk, recipe: Recipe, store: ObjectStore) -> Marks | None:
    """Return the marks of the take that stands for the chunk, or None while there is work left.

    A take counts only when its audio matches its checksum, so a damaged one is simply made again.
    """
    made: list[Marks] = []
    for take in range(recipe.max_takes):
        marks = _known(recipe.key(chunk, take), recipe, store)
        if marks is None:
            return None
        made.append(marks)
        if marks.verdict.passed:
            break
    return takes.best(made)


def settle(chunks: Sequence[Chunk], recipe: Recipe, stages: Stages) -> list[tuple[Marks, int]]:
    """Make takes of chunks until each has one that passes, or enough of them.

    The engine gets all chunks at once, and then those that failed.

    Returns:
        Of each chunk the marks of its best take, and how many takes there are.
    """
    made: list[list[Marks]] = [[] for _ in chunks]
    failed = list(range(len(chunks)))
    for take in range(recipe.max_takes):
        keys = [recipe.key(chunks[i], take) for i in failed]
        marks = _takes([chunks[i] for i in failed], keys, recipe, stages)
        for i, one in zip(failed, marks, strict=True):
            made[i].append(one)
        failed = [i for i in failed if not made[i][-1].verdict.passed]
        if not failed:
            break
    return [(takes.best(each), len(each)) for each in made]


def give_up(chunk: Chunk, error: EngineError, recipe: Recipe, store: ObjectStore) -> Marks:
    """Store a gap for every take that is missing, and return what stands for the chunk.

    More takes, another seed or another version of the engine will try again.
    """
    made = []
    for take in range(recipe.max_takes):
        key = recipe.key(chunk, take)
        marks = _known(key, recipe, store)
        if marks is None:
            marks, audio = takes.failed(chunk, key, error, recipe)
            takes.put(marks, audio, recipe.checker, store)
        made.append(marks)
    return takes.best(made)


def utterance(chunk: Chunk, key: str, recipe: Recipe) -> Utterance:
    """Return a take of a chunk as the engine gets it."""
    return Utterance(
        text=chunk.text,
        language=chunk.language,
        voice=chunk.voice,
        seed=names.seed_of(key),
        readings=chunk.readings,
        speed=recipe.speed,
    )


def _takes(
    chunks: Sequence[Chunk], keys: Sequence[str], recipe: Recipe, stages: Stages
) -> list[Marks]:
    """Return the marks of one take of each chunk, made where it is not there yet."""
    known = {key: marks for key in keys if (marks := _known(key, recipe, stages.store))}
    missing = [(c, k) for c, k in zip(chunks, keys, strict=True) if k not in known]
    with stages.judges.watch.stage("engine"):
        spoken = _spoken(missing, recipe, stages)
    for (chunk, key), one in zip(missing, spoken, strict=True):
        if isinstance(one, EngineError):
            marks, audio = takes.failed(chunk, key, one, recipe)
        else:
            audio = one
            dropped = stages.engine.unspeakable(chunk.text, chunk.language)
            marks = takes.judge(chunk, key, audio, dropped, recipe, stages.judges)
        takes.put(marks, audio, recipe.checker, stages.store)
        known[key] = marks
    return [known[key] for key in keys]


def _known(key: str, recipe: Recipe, store: ObjectStore) -> Marks | None:
    marks = takes.load_marks(key, recipe.checker, store)
    return marks if marks and takes.is_intact(marks, store) else None


def _stored(key: str, store: ObjectStore) -> bytes | None:
    """Return audio of this take that another checker judged before."""
    data = store.get(names.audio(key))
    return data if data is not None and is_sound_flac(data) else None


def _spoken(
    wanted: Sequence[tuple[Chunk, str]], recipe: Recipe, stages: Stages
) -> list[bytes | EngineError]:
    """Return the audio of takes, spoken by the engine in one batch where it is not there."""
    found: dict[str, bytes | EngineError | None] = {
        key: _stored(key, stages.store) for _, key in wanted
    }
    missing = [(chunk, key) for chunk, key in wanted if found[key] is None]
    clips = speak(stages.engine, [utterance(c, key, recipe) for c, key in missing])
    for (_, key), clip in zip(missing, clips, strict=True):
        found[key] = encode_flac(clip) if isinstance(clip, Clip) else clip
    return [one for _, key in wanted if (one := found[key]) is not None]
