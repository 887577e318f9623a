"""Plan + marks + timeline → the completeness receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.assembly.placement import Placements
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk, Plan, Sentence
from pipeline.manifest.report import (
    FlaggedChunk,
    Report,
    ReportChapter,
    ReportFile,
    ReportPart,
    ReportSentence,
)
from pipeline.manifest.request import RenderRequest
from pipeline.manifest.timeline import TimedSentence, Timeline


@dataclass(frozen=True, slots=True)
class RenderedPart:
    """One finished stretch of the book: all of it, or a chapter."""

    timeline: Timeline
    placements: Placements
    files: tuple[ReportFile, ...]


def build(
    *,
    job: str,
    request: RenderRequest,
    plan: Plan,
    marks: Mapping[int, Marks],
    parts: Sequence[RenderedPart],
    notes: Sequence[str] = (),
) -> Report:
    """Return the receipt of a finished job.

    Args:
        job: The job's id.
        request: What was asked for.
        plan: What was to be said.
        marks: Marks of the take that was used, by chunk index.
        parts: The finished files, in the order of the book.
        notes: What the reader of the receipt should know.
    """
    sentences = tuple(_sentences(plan, marks, parts))
    return Report(
        job=job,
        title=plan.title,
        author=plan.author,
        language=plan.language,
        profile=request.profile,
        engine=_engine(request),
        voices=request.voice_revisions,
        checker=request.checker,
        check=request.check,
        parts=tuple(_part(part) for part in parts),
        chapters=tuple(_chapters(parts, sentences)),
        sentences=sentences,
        flagged=tuple(_flagged(plan, marks, parts)),
        n_chunks=len(plan.chunks),
        n_words=sum(len(timed.words) for part in parts for timed in part.timeline.sentences),
        duration_s=sum(part.timeline.duration_s for part in parts),
        notes=tuple(notes),
    )


def _engine(request: RenderRequest) -> str:
    """Return the engine's fingerprint, its name first."""
    fingerprint = request.engine_fingerprint
    is_named = fingerprint.split()[:1] == [request.engine]
    return fingerprint if is_named else f"{request.engine} {fingerprint}"


def _part(part: RenderedPart) -> ReportPart:
    timeline = part.timeline
    is_book = len(timeline.chapters) != 1
    title = timeline.title if is_book else timeline.chapters[0].title
    return ReportPart(title=title, duration_s=timeline.duration_s, files=part.files)


def _chapters(
    parts: Sequence[RenderedPart], sentences: Sequence[ReportSentence]
) -> Iterator[ReportChapter]:
    for number, part in enumerate(parts):
        for index, chapter in zip(part.placements.chapters, part.timeline.chapters, strict=True):
            own = [sentence for sentence in sentences if sentence.chapter == index]
            yield ReportChapter(
                index=index,
                title=chapter.title,
                part=number,
                start_s=chapter.start_s,
                end_s=chapter.end_s,
                n_sentences=len(own),
                n_covered=sum(sentence.is_covered for sentence in own),
                n_flagged=sum(sentence.is_flagged for sentence in own),
            )


def _sentences(
    plan: Plan, marks: Mapping[int, Marks], parts: Sequence[RenderedPart]
) -> Iterator[ReportSentence]:
    """Follow every sentence of the plan, so that one that got lost on the way is seen."""
    timed = {t.index: t for part in parts for t in part.timeline.sentences}
    chunks: dict[int, list[Chunk]] = {}
    for chunk in plan.chunks:
        for index in chunk.sentences:
            chunks.setdefault(index, []).append(chunk)
    for sentence in plan.sentences:
        yield _sentence(sentence, chunks.get(sentence.index, []), timed.get(sentence.index), marks)


def _sentence(
    sentence: Sentence,
    chunks: Sequence[Chunk],
    timed: TimedSentence | None,
    marks: Mapping[int, Marks],
) -> ReportSentence:
    takes = [marks[chunk.index] for chunk in chunks if chunk.index in marks]
    is_covered = (
        timed is not None
        and timed.end_s > timed.start_s
        and len(takes) == len(chunks) > 0
        and all(map(_has_speech, takes))
        and _says(chunks, sentence)
    )
    return ReportSentence(
        index=sentence.index,
        chapter=sentence.chapter,
        text=sentence.text,
        chunks=tuple(chunk.index for chunk in chunks),
        start_s=timed.start_s if timed and is_covered else None,
        end_s=timed.end_s if timed and is_covered else None,
        score=min((take.verdict.score for take in takes), default=0.0) if is_covered else 0.0,
        is_covered=is_covered,
        is_flagged=not is_covered or not all(take.verdict.passed for take in takes),
    )


def _has_speech(take: Marks) -> bool:
    """Tell whether a take has speech: one that could not be synthesized was never judged."""
    was_refused = take.verdict.method == "none" and not take.verdict.passed
    return take.speech_end > take.speech_start and not was_refused


def _says(chunks: Sequence[Chunk], sentence: Sentence) -> bool:
    """Tell whether the chunks have every letter of the sentence, in order."""
    return _letters(sentence.text) in _letters("".join(chunk.text for chunk in chunks))


def _letters(text: str) -> str:
    return "".join(text.split())


def _flagged(
    plan: Plan, marks: Mapping[int, Marks], parts: Sequence[RenderedPart]
) -> Iterator[FlaggedChunk]:
    for part in parts:
        rate = part.placements.sample_rate_hz
        for placement in part.placements.chunks:
            chunk, take = plan.chunks[placement.chunk], marks[placement.chunk]
            if take.verdict.passed:
                continue
            yield FlaggedChunk(
                index=chunk.index,
                chapter=chunk.chapter,
                text=chunk.text,
                voice=chunk.voice,
                key=take.key,
                start_s=placement.offset / rate,
                end_s=placement.end / rate,
                verdict=take.verdict,
            )
