"""The completeness receipt: what was to be said, where it lies in the finished files, how well.

It holds no time of day and no machine's name, so that a resumed render writes the same bytes.
"""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.marks import Verdict
from pipeline.manifest.request import CheckMode


class ReportFile(Record):
    """A finished audio file and what was measured on it, after encoding."""

    #: Path below the folder of the report, with "/".
    name: str
    format: str
    size_bytes: int
    sha256: str
    duration_s: float
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None
    rms_db: float | None = None
    noise_floor_db: float | None = None
    #: Where it misses the profile, with figure and limit; empty when it passes.
    problems: tuple[str, ...] = ()


class ReportPart(Record):
    """The same stretch of the book in one or more formats: the whole book, or a chapter."""

    title: str
    duration_s: float
    files: tuple[ReportFile, ...]


class ReportChapter(Record):
    """A chapter and where it lies."""

    #: As in the plan; chapters in which nothing is spoken are left out.
    index: int
    title: str
    #: Which part it is in, and where.
    part: int
    start_s: float
    end_s: float
    n_sentences: int
    n_covered: int
    n_flagged: int


class ReportSentence(Record):
    """A sentence of the source, and the proof that it was spoken."""

    index: int
    chapter: int
    text: str
    #: Chunks that speak it, in order; empty when it was left out.
    chunks: tuple[int, ...]
    #: Where it lies in its chapter's part; None when it has no audio.
    start_s: float | None
    end_s: float | None
    #: Lowest score of its chunks, 0 … 1.
    score: float
    is_covered: bool
    is_flagged: bool


class FlaggedChunk(Record):
    """A chunk no take of which passed the check."""

    index: int
    chapter: int
    text: str
    voice: str
    #: Key of the take that was used.
    key: str
    start_s: float
    end_s: float
    verdict: Verdict


class Report(Record):
    """The receipt of one job."""

    version: Literal[1] = 1
    job: str
    title: str
    author: str | None
    language: str
    profile: str
    #: Fingerprints of what made the sound and of what judged it.
    engine: str
    #: (voice, revision) pairs.
    voices: tuple[tuple[str, str], ...]
    checker: str
    #: How takes were checked; "off": they were not.
    check: CheckMode = "fast"
    parts: tuple[ReportPart, ...]
    chapters: tuple[ReportChapter, ...]
    sentences: tuple[ReportSentence, ...]
    flagged: tuple[FlaggedChunk, ...]
    n_chunks: int
    n_words: int
    duration_s: float
    #: What the reader should know: skipped parts of the source, speakers without a voice.
    notes: tuple[str, ...] = ()

    def chapter(self, index: int) -> ReportChapter:
        """Return the chapter that the plan gives this index."""
        return next(chapter for chapter in self.chapters if chapter.index == index)

    @property
    def n_missing(self) -> int:
        """How many sentences have no audio."""
        return sum(not sentence.is_covered for sentence in self.sentences)

    @property
    def problems(self) -> tuple[str, ...]:
        """Where finished files miss the profile."""
        files = (file for part in self.parts for file in part.files)
        return tuple(f"{file.name}: {problem}" for file in files for problem in file.problems)

    @property
    def is_complete(self) -> bool:
        """Whether every sentence is spoken, every chunk passed, and every file fits."""
        return not (self.n_missing or self.flagged or self.problems)
