"""Where every chunk lies in the finished file, to the sample, before any audio is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from pipeline.assembly.profiles import Profile
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk, Plan

#: What is kept before the speech of a take: a breath, the onset of an f or an h.
LEAD_MS = 40
#: What is kept after it: the decay of the last sound.
DECAY_MS = 80
#: A chapter begins this long before its first word, or half-way through a shorter pause.
CHAPTER_LEAD_MS = 500


@dataclass(frozen=True, slots=True)
class Placement:
    """Samples `cut_start:cut_end` of a chunk's take, laid down from `offset` on."""

    chunk: int
    cut_start: int
    cut_end: int
    offset: int

    @property
    def end(self) -> int:
        """One past the last sample in the file."""
        return self.offset + self.cut_end - self.cut_start

    def in_file(self, sample: int) -> int:
        """Return where a sample of the take lies in the file; what was cut off, at the edge."""
        return self.offset + min(max(sample, self.cut_start), self.cut_end) - self.cut_start


@dataclass(frozen=True, slots=True)
class Placements:
    """The layout of one file, in samples at the engine's rate; takes never overlap."""

    sample_rate_hz: int
    n_samples: int
    chunks: tuple[Placement, ...]
    #: Indices of the plan's chapters in this file.
    chapters: range
    #: Where each of these chapters begins; the first at 0.
    chapter_starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Take:
    """A chunk's speech and the pause after it, in samples of its take."""

    chunk: Chunk
    start: int
    end: int
    n_samples: int
    pause: int


def place(
    plan: Plan, marks: Mapping[int, Marks], profile: Profile, chapters: range | None = None
) -> Placements:
    """Lay out a file: head, speech and pauses (measured from speech to speech), tail.

    Args:
        plan: The whole plan.
        marks: Marks of every chunk to be placed, by chunk index.
        profile: Gives head and tail.
        chapters: Indices of the chapters in this file; None for all.

    Raises:
        ValueError: The takes differ in sample rate, or the chapters have no chunk.
    """
    chapters = range(len(plan.chapters)) if chapters is None else chapters
    chunks = [plan.chunks[index] for index in _chunk_indices(plan, chapters)]
    rates = {marks[chunk.index].sample_rate_hz for chunk in chunks}
    if len(rates) != 1:
        raise ValueError(f"Takes of one file must have one sample rate, not {sorted(rates)}.")
    (rate,) = rates
    takes = [_take(chunk, marks[chunk.index], rate) for chunk in chunks]
    head, tail = round(profile.head_s * rate), round(profile.tail_s * rate)
    speech = _speech_starts(takes, head)
    end = speech[-1] + takes[-1].end - takes[-1].start
    pauses = [head, *(take.pause for take in takes[:-1]), tail]
    placed = tuple(
        _placement(take, at, before, after, rate)
        for take, at, before, after in zip(takes, speech, pauses, pauses[1:], strict=False)
    )
    starts = _chapter_starts(plan, chapters, takes, speech, rate)
    return Placements(rate, end + tail, placed, chapters, starts)


def _chunk_indices(plan: Plan, chapters: range) -> list[int]:
    planned = [plan.chapters[index] for index in chapters]
    return [
        index
        for chapter in planned
        for index in range(chapter.first_chunk, chapter.first_chunk + chapter.n_chunks)
    ]


def _take(chunk: Chunk, marks: Marks, rate: int) -> _Take:
    start, end = marks.speech_start, marks.speech_end
    if end <= start:  # no speech at all: the take stands as it is
        start, end = 0, marks.n_samples
    return _Take(chunk, start, end, marks.n_samples, chunk.pause_after_ms * rate // 1000)


def _speech_starts(takes: list[_Take], head: int) -> list[int]:
    """Return where the speech of each take begins in the file."""
    starts = [head]
    for take in takes[:-1]:
        starts.append(starts[-1] + take.end - take.start + take.pause)
    return starts


def _placement(take: _Take, at: int, before: int, after: int, rate: int) -> Placement:
    """Cut a take around its speech.

    Of a pause too short for decay and lead, the first takes two thirds and the second one third,
    so that neighbours never overlap.
    """
    lead = min(LEAD_MS * rate // 1000, before // 3, take.start)
    decay = min(DECAY_MS * rate // 1000, after * 2 // 3, take.n_samples - take.end)
    return Placement(take.chunk.index, take.start - lead, take.end + decay, at - lead)


def _chapter_starts(
    plan: Plan, chapters: range, takes: list[_Take], speech: list[int], rate: int
) -> tuple[int, ...]:
    """Return where each chapter begins: inside the pause before its first word.

    A chapter without chunks begins where the next one does.
    """
    begin = {0: 0, len(takes): speech[-1] + takes[-1].end - takes[-1].start}
    for position, (before, take) in enumerate(pairwise(takes), start=1):
        if before.chunk.chapter != take.chunk.chapter:
            begin[position] = speech[position] - min(
                CHAPTER_LEAD_MS * rate // 1000, before.pause // 2
            )
    starts, position = [], 0
    for index in chapters:
        starts.append(begin[position])
        position += plan.chapters[index].n_chunks
    return tuple(starts)
