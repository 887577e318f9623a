"""The summary, the chapters with their waveforms, and the flagged chunks of the report's page."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from html import escape

from pipeline.assembly.report.phrases import clock, count
from pipeline.assembly.report.waveform import FULL, Waveform
from pipeline.manifest.report import FlaggedChunk, Report, ReportChapter


def summary(report: Report) -> Iterator[str]:
    """Yield what matters first: complete or not; then the figures."""
    yield f'<div class="verdict {_colour(report)}">'
    yield escape(headline(report))
    if report.problems:
        yield "<ul>" + "".join(f"<li>{escape(problem)}" for problem in report.problems) + "</ul>"
    yield "</div>"
    facts = {
        "Length": clock(report.duration_s),
        "Chapters": f"{len(report.chapters):,}",
        "Sentences": f"{len(report.sentences):,}",
        "Words": f"{report.n_words:,}",
        "Profile": report.profile,
        "Voice": ", ".join(voice for voice, _ in report.voices),
        "Engine": report.engine,
        "Check": "off" if report.check == "off" else f"{report.check} ({report.checker})",
        "Job": report.job,
    }
    rows = (f"<div><dt>{name}<dd>{escape(value)}</div>" for name, value in facts.items())
    yield f'<dl class="facts">{"".join(rows)}</dl>'
    if report.notes:
        yield "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(n)}" for n in report.notes) + "</ul>"


def headline(report: Report) -> str:
    """Return the outcome in one sentence."""
    n_sentences = count(len(report.sentences), "sentence")
    faults = []
    if report.n_missing:
        faults.append(f"{count(report.n_missing, 'sentence')} without audio")
    if report.flagged:
        faults.append(f"{count(len(report.flagged), 'flagged chunk')} to listen to")
    if report.problems:
        faults.append(f"{count(len(report.problems), 'profile limit')} missed")
    if faults:
        return f"Not complete: {', '.join(faults)}; {n_sentences} in all."
    if report.check == "off":
        return f"Not checked: all {n_sentences} have audio, but nobody listened (--check off)."
    return f"Complete: all {n_sentences} spoken and checked, nothing flagged."


def _colour(report: Report) -> str:
    """Return the class of the outcome: good, bad, or unknown where nothing was checked."""
    if not report.is_complete:
        return "bad"
    return "unknown" if report.check == "off" else "good"


def chapters(report: Report, waveforms: Sequence[Waveform]) -> Iterator[str]:
    """Yield each chapter with its picture; flagged places are marked in it."""
    yield "<h2>Chapters</h2>"
    for chapter, waveform in zip(report.chapters, waveforms, strict=True):
        flagged = [chunk for chunk in report.flagged if chunk.chapter == chapter.index]
        length = clock(chapter.end_s - chapter.start_s)
        yield f'<section class="chapter"><header><h3>{escape(chapter.title)}</h3>'
        yield f'<span class="soft">{clock(chapter.start_s)}, {length} long, '
        yield f"{count(chapter.n_sentences, 'sentence')}{_faults(chapter)}</span></header>"
        yield _picture(chapter, waveform, flagged)
        yield "</section>"


def flagged(
    report: Report, clip_name: Callable[[int], str], clipped: Container[int]
) -> Iterator[str]:
    """Yield every flagged chunk: what it should say, what is wrong, and how it sounds."""
    if not report.flagged:
        return
    yield "<h2>Flagged</h2>"
    for chunk in report.flagged:
        clip = clip_name(chunk.index) if chunk.index in clipped else None
        yield _card(report, chunk, clip)


def _faults(chapter: ReportChapter) -> str:
    return f", {chapter.n_flagged} flagged" if chapter.n_flagged else ""


def _picture(chapter: ReportChapter, waveform: Waveform, flagged: Sequence[FlaggedChunk]) -> str:
    """Return a waveform as SVG: one vertical stroke a column, drawn from the middle both ways."""
    n, length_s = len(waveform.peaks), chapter.end_s - chapter.start_s
    strokes = "".join(
        f"M{column} {FULL - peak}v{2 * peak}" for column, peak in enumerate(waveform.peaks) if peak
    )
    marks = "".join(
        f'<rect x="{n * (chunk.start_s - chapter.start_s) / length_s:.1f}" y="0" '
        f'width="{max(2.0, n * (chunk.end_s - chunk.start_s) / length_s):.1f}" '
        f'height="{2 * FULL}"/>'
        for chunk in flagged
    )
    return (
        f'<svg viewBox="0 0 {n} {2 * FULL}" preserveAspectRatio="none" role="img" '
        f'aria-label="Waveform" data-p="{chapter.part}" data-s="{chapter.start_s:.2f}" '
        f'data-e="{chapter.end_s:.2f}">{marks}<path d="{strokes}"/></svg>'
    )


def _card(report: Report, chunk: FlaggedChunk, clip: str | None) -> str:
    chapter, verdict = report.chapter(chunk.chapter), chunk.verdict
    defects = "".join(
        f"<li><b>{defect.kind}</b>: {escape(defect.detail)}" for defect in verdict.defects
    )
    heard = verdict.transcript
    return (
        f'<div class="card" data-p="{chapter.part}"><span class="soft">'
        f"{escape(chapter.title)}, {clock(chunk.start_s)}, chunk {chunk.index + 1}, "
        f"voice {escape(chunk.voice)}, score {verdict.score:.2f}</span>"
        f"<blockquote>{escape(chunk.text)}</blockquote><ul>{defects}</ul>"
        + (f'<p class="soft">Heard: {escape(heard)}</p>' if heard else "")
        + (f'<audio controls preload="none" src="{clip}"></audio> ' if clip else "")
        + f'<button class="scripted" hidden data-t="{max(0, chunk.start_s - 2):.2f}">'
        "Play in the book</button></div>"
    )
