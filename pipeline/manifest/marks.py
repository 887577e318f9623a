"""What is known of one take: word timings and the checker's verdict. The sidecar of its audio."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from pipeline.manifest.base import CLOSED, Record

DefectKind = Literal[
    "missing",
    "repeated",
    "substituted",
    "extra",
    "noise",
    "silence",
    "clipping",
    "truncated",
    "endless",
    "unaligned",
]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Word:
    """A white-space delimited word of the chunk's text (a character or two in Chinese)."""

    text: str
    #: Samples from the start of the take's audio.
    start_sample: int
    end_sample: int


class Defect(Record):
    """One thing that is wrong with a take."""

    kind: DefectKind
    #: For people: "'seven' is missing after 'paid'".
    detail: str


class Verdict(Record):
    """What the checker thinks of a take."""

    passed: bool
    #: 0 (unusable) … 1 (every word right); the best take is the one with the highest score.
    score: float
    #: What was run: the alignment gate alone, or Whisper transcription too.
    method: Literal["none", "gate", "transcript"]
    defects: tuple[Defect, ...] = ()
    transcript: str | None = None


class Marks(Record):
    """Sidecar of a take, written before its audio."""

    version: Literal[1] = 1
    #: Key of the take (`names.take_key`), which also names the audio object.
    key: str
    audio_sha256: str
    sample_rate_hz: int
    n_samples: int
    #: First and one past the last sample of active speech.
    speech_start: int
    speech_end: int
    words: tuple[Word, ...]
    verdict: Verdict
