"""Placements and word marks → the timeline of a finished file, in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.assembly.placement import Placement, Placements
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Plan, Sentence
from pipeline.manifest.timeline import TimedChapter, TimedSentence, TimedWord, Timeline


def timeline(plan: Plan, marks: Mapping[int, Marks], placements: Placements) -> Timeline:
    """Return where chapters, sentences and words lie in the file."""
    rate = placements.sample_rate_hz
    duration_s = placements.n_samples / rate
    starts_s = [start / rate for start in placements.chapter_starts]
    chapters = tuple(
        TimedChapter(title=plan.chapters[index].title, start_s=start_s, end_s=end_s)
        for index, start_s, end_s in zip(
            placements.chapters, starts_s, [*starts_s[1:], duration_s], strict=True
        )
    )
    return Timeline(
        title=plan.title,
        language=plan.language,
        duration_s=duration_s,
        chapters=chapters,
        sentences=tuple(_sentences(plan, marks, placements)),
    )


@dataclass(slots=True)
class _Spoken:
    """A sentence while its words are collected."""

    sentence: Sentence
    n_chars: int
    chunks: list[int] = field(default_factory=list)
    words: list[TimedWord] = field(default_factory=list)
    #: Where its chunks lie, in seconds; used when it has no words.
    spans_s: list[tuple[float, float]] = field(default_factory=list)
    n_spoken: int = 0


def _sentences(
    plan: Plan, marks: Mapping[int, Marks], placements: Placements
) -> Iterator[TimedSentence]:
    spoken: dict[int, _Spoken] = {}
    last_end_s = 0.0
    for placement in placements.chunks:
        chunk = plan.chunks[placement.chunk]
        here = [
            spoken.setdefault(index, _Spoken(plan.sentences[index], _length(plan, index)))
            for index in chunk.sentences
        ]
        span_s = _span_s(placement, marks[chunk.index])
        for part in here:
            part.chunks.append(chunk.index)
            part.spans_s.append(span_s)
        words = list(_words(placement, marks[chunk.index], last_end_s))
        _share(words, here)
        last_end_s = words[-1].end_s if words else last_end_s
    for part in spoken.values():
        yield _timed(part, plan)


def _length(plan: Plan, index: int) -> int:
    return _n_chars(plan.sentences[index].text)


def _n_chars(text: str) -> int:
    """Count the characters that are not white space: what sentences and words have in common."""
    return sum(not char.isspace() for char in text)


def _span_s(placement: Placement, marks: Marks) -> tuple[float, float]:
    rate = marks.sample_rate_hz
    if marks.speech_end <= marks.speech_start:
        return placement.offset / rate, placement.end / rate
    start = placement.in_file(marks.speech_start)
    return start / rate, placement.in_file(marks.speech_end) / rate


def _words(placement: Placement, marks: Marks, after_s: float) -> Iterator[TimedWord]:
    """Yield the words of a chunk in file time, in order even where the marks overlap."""
    for word in marks.words:
        start_s = max(after_s, placement.in_file(word.start_sample) / marks.sample_rate_hz)
        end_s = max(start_s, placement.in_file(word.end_sample) / marks.sample_rate_hz)
        yield TimedWord(text=word.text, start_s=start_s, end_s=end_s)
        after_s = end_s


def _share(words: Iterable[TimedWord], sentences: list[_Spoken]) -> None:
    """Give each word to the sentence its first character belongs to.

    A chunk may begin inside its first sentence and end inside its last, so what counts is how
    much of a sentence earlier chunks have spoken.
    """
    position = 0
    for word in words:
        while (
            position + 1 < len(sentences)
            and sentences[position].n_spoken >= sentences[position].n_chars
        ):
            position += 1
        sentences[position].words.append(word)
        sentences[position].n_spoken += _n_chars(word.text)


def _timed(part: _Spoken, plan: Plan) -> TimedSentence:
    first = plan.chunks[part.chunks[0]]
    return TimedSentence(
        index=part.sentence.index,
        chapter=part.sentence.chapter,
        text=part.sentence.text,
        start_s=part.words[0].start_s if part.words else part.spans_s[0][0],
        end_s=part.words[-1].end_s if part.words else part.spans_s[-1][1],
        words=tuple(part.words),
        chunks=tuple(part.chunks),
        voice=first.voice,
        is_heading=first.is_heading,
    )
