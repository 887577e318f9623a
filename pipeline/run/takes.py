"""One take of a chunk: its audio and its marks, made, judged, stored and read back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from pipeline import names
from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip, decode, encode_flac
from pipeline.audio.energy import speech_span
from pipeline.checking import signal
from pipeline.checking.check import Checker
from pipeline.errors import CorruptObjectError, EngineError
from pipeline.manifest.marks import Defect, Marks, Verdict, Word
from pipeline.manifest.plan import Chunk
from pipeline.planning.duration import estimate_s
from pipeline.run.recipe import Recipe
from pipeline.run.stopwatch import Stopwatch
from pipeline.store.protocol import ObjectStore

#: Length of the silence that stands for a chunk no take of which could be synthesized.
GAP_S = 0.5


@dataclass(frozen=True, slots=True)
class Judges:
    """What times and judges takes; one set a process."""

    aligner: Aligner
    checker: Checker
    watch: Stopwatch

    @property
    def fingerprint(self) -> str:
        """What identifies timings and verdicts; it names the marks."""
        facts = {
            "aligner": self.aligner.fingerprint,
            "checker": self.checker.fingerprint,
            "refusal": signal.VERSION,
        }
        return names.digest(facts)[:12]


def judge(
    chunk: Chunk, key: str, audio: bytes, unspeakable: tuple[str, ...], recipe: Recipe, by: Judges
) -> Marks:
    """Return the marks of a take.

    Args:
        chunk: What should be heard.
        key: Of the take.
        audio: The take as it is stored: what is checked is what is kept.
        unspeakable: What of the text the engine leaves out: then the take fails, whatever is heard.
        recipe: Names the engine and the speed.
        by: Who judges.
    """
    clip = decode(audio)
    if refused := signal.refusal(clip, estimate_s(chunk, chunk.language) / recipe.speed):
        # Not even without a check: there is nothing to time or to listen to.
        words = by.aligner.fallback(chunk, clip)
        verdict = Verdict(passed=False, score=0.0, method="none", defects=(refused,))
        return _marks(key, clip, audio, words, verdict)
    with by.watch.stage("alignment"):
        aligned = by.aligner.align(chunk, clip)
        words = by.aligner.fallback(chunk, clip) if aligned is None else aligned
    with by.watch.stage("checking"):
        verdict = by.checker.check(chunk, clip, aligned, key)
    if unspeakable:
        detail = f"{recipe.engine} cannot speak {' '.join(unspeakable)!r}"
        defect = Defect(kind="missing", detail=detail)
        verdict = verdict.model_copy(
            update={"passed": False, "defects": (*verdict.defects, defect)}
        )
    return _marks(key, clip, audio, words, verdict)


def failed(chunk: Chunk, key: str, error: EngineError, recipe: Recipe) -> tuple[Marks, bytes]:
    """Return the marks and the audio, a gap, of a take that could not be synthesized."""
    clip = _gap(recipe.sample_rate_hz)
    audio = encode_flac(clip)
    defect = Defect(kind="missing", detail=str(error))
    verdict = Verdict(passed=False, score=0.0, method="none", defects=(defect,))
    return _marks(key, clip, audio, Aligner(None).fallback(chunk, clip), verdict), audio


def best(takes: list[Marks]) -> Marks:
    """Return the take that passed, else the first of those with the highest score."""
    return max(takes, key=lambda marks: (marks.verdict.passed, marks.verdict.score))


def load_marks(key: str, checker: str, store: ObjectStore) -> Marks | None:
    """Return a take's marks; None when they are missing or unreadable."""
    data = store.get(names.marks(key, checker))
    if data is None:
        return None
    try:
        return Marks.decode(data)
    except CorruptObjectError:
        return None


def load_audio(marks: Marks, store: ObjectStore) -> Clip:
    """Return a take's audio.

    Raises:
        CorruptObjectError: It is missing or does not match its checksum.
    """
    data = store.get(names.audio(marks.key))
    if data is None or hashlib.sha256(data).hexdigest() != marks.audio_sha256:
        raise CorruptObjectError(
            f"{store.place(names.audio(marks.key))} is damaged. Run the same command again: "
            "the chunk will be made anew."
        )
    return decode(data)


def is_intact(marks: Marks, store: ObjectStore) -> bool:
    """Tell whether a take's audio is there and matches its checksum."""
    data = store.get(names.audio(marks.key))
    return data is not None and hashlib.sha256(data).hexdigest() == marks.audio_sha256


def put(marks: Marks, audio: bytes, checker: str, store: ObjectStore) -> None:
    """Store a take, where one process after another works at it."""
    # The marks go first: audio without marks is never taken for a finished take.
    store.put(names.marks(marks.key, checker), marks.encode())
    store.put(names.audio(marks.key), audio)


def _gap(sample_rate_hz: int) -> Clip:
    return Clip(np.zeros(int(GAP_S * sample_rate_hz), np.float32), sample_rate_hz)


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
