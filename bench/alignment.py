"""How far word starts lie from the truth: `python -m bench.alignment` (needs espeak-ng, Whisper).

Every other sentence belongs to the calibration half; the figures are of the other half, with the
biases fixed in the code.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench import table
from bench.chunks import chunk_of
from bench.espeak import spoken
from bench.truth import Spoken, Teller
from pipeline.assembly.alignment.align import Aligner
from pipeline.assembly.alignment.heard import by_hearing
from pipeline.assembly.alignment.span import Span
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan
from pipeline.manifest.marks import Word
from pipeline.manifest.plan import Chunk
from pipeline.models import resolve
from pipeline.models.whisper import Whisper
from pipeline.settings import Settings

TEXTS = Path(__file__).parent / "texts"
#: Our language → espeak-ng's voice.
VOICES = {"de": "de", "es": "es", "fr": "fr"}


class Hearing(Aligner):
    """Sends English, too, through Whisper, to measure that path where the truth is best."""

    def _by_phones(
        self,
        chunk: Chunk,
        words: Sequence[str],
        clip: Clip,
        runs: Sequence[SpeechSpan],  # noqa: ARG002
    ) -> list[Span | None] | None:
        assert self._whisper
        return by_hearing(self._whisper, chunk, words, clip)


class Guessing(Aligner):
    """The fallback: no model at all."""

    def align(self, chunk: Chunk, clip: Clip) -> tuple[Word, ...] | None:
        return self.fallback(chunk, clip)


@dataclass(frozen=True, slots=True)
class Miss:
    """How far a word's start lies from the truth."""

    error_ms: float
    is_inner: bool
    is_held_out: bool
    #: Whether its sentence holds something other than plain words.
    has_figures: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an aligner made of a test set."""

    misses: tuple[Miss, ...]
    n_refused: int
    #: Seconds of audio per second of work, on one thread.
    speed: float


def lines(language: str) -> list[str]:
    """Return the sentences of a test set."""
    text = (TEXTS / f"alignment_{language}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def english() -> list[Spoken]:
    teller = Teller()
    return [teller.speak(line) for line in lines("en")]


def foreign(language: str) -> list[Spoken]:
    return [_by_espeak(line, VOICES[language]) for line in lines(language)]


def measure(aligner: Aligner, language: str, spoken_lines: Iterable[Spoken]) -> Outcome:
    misses: list[Miss] = []
    refused, busy_s, audio_s = 0, 0.0, 0.0
    for index, truth in enumerate(spoken_lines):
        text = chunk_of(truth.text, language)
        started = time.process_time()
        words = aligner.align(text, truth.clip)
        if index:  # the first one loads the models
            busy_s += time.process_time() - started
            audio_s += truth.clip.duration_s
        refused += words is None
        misses += _misses(truth, words or (), is_held_out=index % 2 == 1)
    return Outcome(tuple(misses), refused, audio_s / busy_s)


def figures(misses: Sequence[Miss]) -> dict[str, Any]:
    errors = np.asarray([miss.error_ms for miss in misses])
    return {
        "words": len(errors),
        "bias_ms": round(float(np.median(errors)), 1),
        "median_ms": round(float(np.median(np.abs(errors))), 1),
        "p95_ms": round(float(np.percentile(np.abs(errors), 95)), 1),
        "max_ms": round(float(np.abs(errors).max()), 1),
    }


def rows(name: str, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the figures of the held-out half, then the bias of the calibration half."""
    held_out = [miss for miss in outcome.misses if miss.is_held_out]
    calibration = [miss for miss in outcome.misses if not miss.is_held_out and miss.is_inner]
    parts = {
        "all starts": held_out,
        "inner starts": [miss for miss in held_out if miss.is_inner],
        "plain words": [miss for miss in held_out if not miss.has_figures],
        "with figures": [miss for miss in held_out if miss.has_figures],
        "calibration, inner": calibration,
    }
    return [{"method": name, "starts": part, **figures(m)} for part, m in parts.items() if m]


def main() -> None:
    whisper = Whisper(resolve.model_dir("whisper-base", settings=Settings()))
    spoken_en = english()
    outcomes = {
        "en, pocketsphinx": measure(Aligner(whisper), "en", spoken_en),
        "en, Whisper": measure(Hearing(whisper), "en", spoken_en),
        "en, fallback": measure(Guessing(None), "en", spoken_en),
    }
    if find_library("espeak-ng") is None:
        print("Other languages are left out: apt-get install libespeak-ng1 espeak-ng-data")
    for language in VOICES if find_library("espeak-ng") else ():
        outcomes[f"{language}, Whisper"] = measure(Aligner(whisper), language, foreign(language))
    found = [row for name, outcome in outcomes.items() for row in rows(name, outcome)]
    table.show("Word starts, distance to the truth", found)
    speeds = [
        {"method": name, "x_realtime": round(outcome.speed, 1), "refused": outcome.n_refused}
        for name, outcome in outcomes.items()
    ]
    table.show("Speed on one thread, and clean sentences refused", speeds)
    table.save("alignment", {"starts": found, "speed": speeds})


def _misses(truth: Spoken, words: Sequence[Word], *, is_held_out: bool) -> list[Miss]:
    has_figures = any(c.isdigit() for c in truth.text)
    rate = truth.clip.sample_rate_hz
    return [
        Miss((word.start_sample / rate - start) * 1e3, inner, is_held_out, has_figures)
        for word, start, inner in zip(words, truth.starts_s, truth.is_inner, strict=False)
        if not np.isnan(start)
    ]


def _by_espeak(text: str, voice: str) -> Spoken:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [sys.executable, "-m", "bench.espeak", voice, str(path)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        samples, rate = soundfile.read(path, dtype="float32")
    events = [(int(at), float(second)) for at, second in json.loads(done.stdout)]
    return spoken(text, Clip(samples, rate), events)


if __name__ == "__main__":
    main()
