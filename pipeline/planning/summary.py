"""What a plan amounts to, chapter by chapter, for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipeline.manifest.plan import Chunk, Plan, PlannedChapter
from pipeline.planning.duration import estimate_s


@dataclass(frozen=True, slots=True)
class ChapterSummary:
    """A chapter of a plan in figures."""

    title: str
    n_sentences: int
    n_chunks: int
    n_chars: int
    #: Estimated, with the pauses.
    duration_s: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in figures."""

    title: str
    author: str | None
    language: str
    chapters: tuple[ChapterSummary, ...]
    #: In order of appearance.
    voices: tuple[str, ...]

    @property
    def n_chunks(self) -> int:
        """Chunks of all chapters."""
        return sum(chapter.n_chunks for chapter in self.chapters)

    @property
    def n_chars(self) -> int:
        """Characters of all chunks."""
        return sum(chapter.n_chars for chapter in self.chapters)

    @property
    def duration_s(self) -> float:
        """Estimated duration of the whole, with the pauses, in seconds."""
        return sum(chapter.duration_s for chapter in self.chapters)


def summarize(plan: Plan) -> Summary:
    """Count and estimate what the plan holds."""
    counts = Counter(sentence.chapter for sentence in plan.sentences)
    return Summary(
        title=plan.title,
        author=plan.author,
        language=plan.language,
        chapters=tuple(
            _chapter(chapter, plan, counts[index]) for index, chapter in enumerate(plan.chapters)
        ),
        voices=tuple(dict.fromkeys(chunk.voice for chunk in plan.chunks)),
    )


def _chapter(planned: PlannedChapter, plan: Plan, n_sentences: int) -> ChapterSummary:
    chunks = plan.chunks[planned.first_chunk : planned.first_chunk + planned.n_chunks]
    return ChapterSummary(
        title=planned.title,
        n_sentences=n_sentences,
        n_chunks=planned.n_chunks,
        n_chars=sum(len(chunk.text) for chunk in chunks),
        duration_s=sum(map(_duration_s, chunks)),
    )


def _duration_s(chunk: Chunk) -> float:
    return estimate_s(chunk, chunk.language) + chunk.pause_after_ms / 1000
