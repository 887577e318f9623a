"""The tables of the report's page: finished files, and every sentence.

End tags that HTML does not need are left out: a long book has ten thousand rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from urllib.parse import quote

from pipeline.assembly.report.phrases import clock, count, size
from pipeline.manifest.report import Report, ReportFile, ReportSentence


def files(report: Report) -> Iterator[str]:
    """Yield the table of finished files and what was measured on them."""
    yield '<h2>Files</h2><div class="scroll"><table><thead><tr><th>File<th class="n">Length'
    yield '<th class="n">Size<th class="n">Loudness<th class="n">Peak<th>SHA-256</thead><tbody>'
    for part in report.parts:
        for file in part.files:
            yield _file(file)
    yield "</table></div>"


def sentences(report: Report) -> Iterator[str]:
    """Yield the searchable table of all sentences, folded by chapter."""
    yield '<section class="sentences"><h2>Every sentence</h2><div class="scripted" hidden>'
    yield '<input type="search" id="search" placeholder="Search the text" aria-label="Search">'
    yield '<p class="soft" id="count" aria-live="polite"></p></div>'
    for index, group in groupby(report.sentences, key=lambda sentence: sentence.chapter):
        yield from _chapter(report, index, group)
    yield "</section>"


def _file(file: ReportFile) -> str:
    problems = "".join(f"<br>{escape(problem)}" for problem in file.problems)
    return (
        f"<tr{' class=bad' if problems else ''}>"
        f'<td><a href="{escape(quote(file.name))}">{escape(file.name)}</a>{problems}'
        f'<td class="n">{clock(file.duration_s)}<td class="n">{size(file.size_bytes)}'
        f'<td class="n">{_figure(file.integrated_lufs, "LUFS")}'
        f'<td class="n">{_figure(file.true_peak_dbtp, "dBTP")}'
        f'<td><code title="{file.sha256}">{file.sha256[:12]}…</code>'
    )


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.1f} {unit}".replace("-", "−")


def _chapter(report: Report, index: int, group: Iterable[ReportSentence]) -> Iterator[str]:
    chapter = report.chapter(index)
    told = count(chapter.n_sentences, "sentence")
    if chapter.n_flagged:
        told += f", {chapter.n_flagged} flagged"
    yield f'<details data-p="{chapter.part}"><summary>{escape(chapter.title)}'
    yield f' <span class="soft">{told}</span></summary><table><tbody>'
    for sentence in group:
        yield _row(sentence)
    yield "</table></details>"


def _row(sentence: ReportSentence) -> str:
    mark = " class=bad" if sentence.is_flagged else ""
    if sentence.start_s is None:
        place, time = "", "missing"
    else:
        place, time = f" data-t={sentence.start_s:.2f}", clock(sentence.start_s)
    text, score = escape(sentence.text, quote=False), f"{sentence.score:.2f}"
    return f"<tr{mark}{place}><td>{sentence.index + 1}<td>{time}<td>{text}<td>{score}\n"
