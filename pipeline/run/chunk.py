"""The stage of chunks: synthesize, align, check, store; again with another seed if it fails.

Everything here is a function of the chunk, the recipe and the models: it does not matter which
process runs it, when, how often, or what was run before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline import names
from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip, encode_flac, is_sound_flac
from pipeline.audio.clip import decode as decode_audio
from pipeline.audio.energy import speech_span
from pipeline.checking.check import Checker
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import CorruptObjectError, EngineError
from pipeline.manifest.marks import Defect, Marks, Verdict, Word
from pipeline.manifest.plan import Chunk
from pipeline.run.stopwatch import Stopwatch
from pipeline.store.local import LocalStore

#: Length of the silence that stands for a chunk no take of which could be synthesized.
GAP_S = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the sound of a chunk besides its text, and how it is judged."""

    engine: str
    engine_fingerprint: str
    sample_rate_hz: int
    #: Revision of each voice by name.
    voice_revisions: dict[str, str]
    #: Names the marks: takes judged by another checker are judged again, not spoken again.
    checker: str
    speed: float
    seed: int
    max_takes: int

    def key(self, chunk: Chunk, take: int) -> str:
        """Return the key of a take of the chunk."""
        return names.take_key(
            chunk,
            voice_revision=self.voice_revisions[chunk.voice],
            engine_fingerprint=self.engine_fingerprint,
            speed=self.speed,
            seed=self.seed,
            take=take,
        )


@dataclass(frozen=True, slots=True)
class Stages:
    """The models that work on a chunk; one set a process."""

    engine: Engine
    aligner: Aligner
    checker: Checker
    store: LocalStore
    watch: Stopwatch


def settled(chunk: Chunk, recipe: Recipe, store: LocalStore) -> Marks | None:
    """Return the marks of the take that stands for the chunk, or None while there is work left.

    A take counts only when its audio matches its checksum, so a damaged one is simply made again.
    """
    takes: list[Marks] = []
    for take in range(recipe.max_takes):
        marks = load_marks(recipe.key(chunk, take), recipe.checker, store)
        if marks is None or not is_intact(marks, store):
            return None
        takes.append(marks)
        if marks.verdict.passed:
            break
    return best(takes)


def settle(chunks: Sequence[Chunk], recipe: Recipe, stages: Stages) -> list[tuple[Marks, int]]:
    """Make takes of chunks until each has one that passes, or enough of them.

    The engine gets all chunks at once, and then those that failed.

    Returns:
        Of each chunk the marks of its best take, and how many takes there are.
    """
    takes: list[list[Marks]] = [[] for _ in chunks]
    failed = list(range(len(chunks)))
    for take in range(recipe.max_takes):
        keys = [recipe.key(chunks[i], take) for i in failed]
        made = _takes([chunks[i] for i in failed], keys, recipe, stages)
        for i, marks in zip(failed, made, strict=True):
            takes[i].append(marks)
        failed = [i for i in failed if not takes[i][-1].verdict.passed]
        if not failed:
            break
    return [(best(each), len(each)) for each in takes]


def best(takes: list[Marks]) -> Marks:
    """Return the take that passed, else the first of those with the highest score."""
    return max(takes, key=lambda marks: (marks.verdict.passed, marks.verdict.score))


def load_marks(key: str, checker: str, store: LocalStore) -> Marks | None:
    """Return a take's marks; None when they are missing or unreadable."""
    data = store.get(names.marks(key, checker))
    if data is None:
        return None
    try:
        return Marks.decode(data)
    except CorruptObjectError:
        return None


def load_audio(marks: Marks, store: LocalStore) -> Clip:
    """Return a take's audio.

    Raises:
        CorruptObjectError: It is missing or does not match its checksum.
    """
    data = store.get(names.audio(marks.key))
    if data is None or hashlib.sha256(data).hexdigest() != marks.audio_sha256:
        raise CorruptObjectError(
            f"{store.path(names.audio(marks.key))} is damaged. Run the same command again: "
            "the chunk will be made anew."
        )
    return decode_audio(data)


def is_intact(marks: Marks, store: LocalStore) -> bool:
    """Tell whether a take's audio is there and matches its checksum."""
    data = store.get(names.audio(marks.key))
    return data is not None and hashlib.sha256(data).hexdigest() == marks.audio_sha256


def give_up(chunk: Chunk, error: EngineError, recipe: Recipe, store: LocalStore) -> Marks:
    """Store a gap for every take that is missing, and return what stands for the chunk.

    More takes, another seed or another version of the engine will try again.
    """
    takes = []
    for take in range(recipe.max_takes):
        key = recipe.key(chunk, take)
        marks = load_marks(key, recipe.checker, store)
        if marks is None or not is_intact(marks, store):
            clip = _gap(recipe.sample_rate_hz)
            audio = encode_flac(clip)
            marks = _marks(key, clip, audio, *_failure(chunk, clip, error))
            _put(marks, audio, recipe, store)
        takes.append(marks)
    return best(takes)


def _takes(
    chunks: Sequence[Chunk], keys: Sequence[str], recipe: Recipe, stages: Stages
) -> list[Marks]:
    """Return the marks of one take of each chunk, made where it is not there yet."""
    known = {key: marks for key in keys if (marks := _known(key, recipe, stages.store))}
    missing = [(c, k) for c, k in zip(chunks, keys, strict=True) if k not in known]
    with stages.watch.stage("engine"):
        spoken = _spoken(missing, recipe, stages)
    for (chunk, key), one in zip(missing, spoken, strict=True):
        audio = encode_flac(one.clip)
        # What is checked and aligned is what is stored: 16-bit audio, not the engine's floats.
        clip = decode_audio(audio)
        marks = _judged(chunk, key, clip, audio, one.error, stages)
        _put(marks, audio, recipe, stages.store)
        known[key] = marks
    return [known[key] for key in keys]


def _known(key: str, recipe: Recipe, store: LocalStore) -> Marks | None:
    marks = load_marks(key, recipe.checker, store)
    return marks if marks and is_intact(marks, store) else None


def _put(marks: Marks, audio: bytes, recipe: Recipe, store: LocalStore) -> None:
    # The marks go first: audio without marks is never taken for a finished take.
    store.put(names.marks(marks.key, recipe.checker), marks.encode())
    store.put(names.audio(marks.key), audio)


@dataclass(frozen=True, slots=True)
class _Spoken:
    clip: Clip
    error: EngineError | None = None


def _stored(key: str, store: LocalStore) -> _Spoken | None:
    """Return audio of this take that another checker judged before."""
    data = store.get(names.audio(key))
    if data is None:
        return None
    return _Spoken(decode_audio(data)) if is_sound_flac(data) else None


def _spoken(wanted: Sequence[tuple[Chunk, str]], recipe: Recipe, stages: Stages) -> list[_Spoken]:
    """Return the audio of takes, spoken by the engine in one batch where it is not there."""
    found = {key: _stored(key, stages.store) for _, key in wanted}
    missing = [(chunk, key) for chunk, key in wanted if found[key] is None]
    clips = stages.engine.synthesize([_utterance(c, key, recipe) for c, key in missing])
    for (_, key), clip in zip(missing, clips, strict=True):
        found[key] = (
            _Spoken(_gap(recipe.sample_rate_hz), clip)
            if isinstance(clip, EngineError)
            else _Spoken(clip)
        )
    return [one for _, key in wanted if (one := found[key])]


def _utterance(chunk: Chunk, key: str, recipe: Recipe) -> Utterance:
    return Utterance(
        text=chunk.text,
        language=chunk.language,
        voice=chunk.voice,
        seed=names.seed_of(key),
        readings=chunk.readings,
        speed=recipe.speed,
    )


def _gap(sample_rate_hz: int) -> Clip:
    return Clip(np.zeros(int(GAP_S * sample_rate_hz), np.float32), sample_rate_hz)


def _judged(
    chunk: Chunk, key: str, clip: Clip, audio: bytes, error: EngineError | None, stages: Stages
) -> Marks:
    if error:
        return _marks(key, clip, audio, *_failure(chunk, clip, error))
    with stages.watch.stage("alignment"):
        aligned = stages.aligner.align(chunk, clip)
        words = stages.aligner.fallback(chunk, clip) if aligned is None else aligned
    with stages.watch.stage("checking"):
        verdict = stages.checker.check(chunk, clip, aligned, key)
    return _marks(key, clip, audio, words, _with_unspeakable(verdict, chunk, stages.engine))


def _failure(chunk: Chunk, clip: Clip, error: EngineError) -> tuple[tuple[Word, ...], Verdict]:
    """Return the words and the verdict of a take that could not be synthesized."""
    defect = Defect(kind="missing", detail=str(error))
    verdict = Verdict(passed=False, score=0.0, method="none", defects=(defect,))
    return Aligner(None).fallback(chunk, clip), verdict


def _marks(key: str, clip: Clip, audio: bytes, words: tuple[Word, ...], verdict: Verdict) -> Marks:
    span = speech_span(clip)
    return Marks(
        key=key,
        audio_sha256=hashlib.sha256(audio).hexdigest(),
        sample_rate_hz=clip.sample_rate_hz,
        n_samples=len(clip.samples),
        speech_start=span.start,
        speech_end=span.end,
        words=words,
        verdict=verdict,
    )


def _with_unspeakable(verdict: Verdict, chunk: Chunk, engine: Engine) -> Verdict:
    """Fail a chunk with words the engine cannot say, whatever the checker heard."""
    dropped = engine.unspeakable(chunk.text, chunk.language)
    if not dropped:
        return verdict
    detail = f"{engine.name} cannot speak {' '.join(dropped)!r}"
    defect = Defect(kind="missing", detail=detail)
    return verdict.model_copy(update={"passed": False, "defects": (*verdict.defects, defect)})
