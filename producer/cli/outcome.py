"""What a render says at its end: the files, whether all is well, and where to listen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.assembly.report.phrases import count, size
from producer.cli.progress import clock

if TYPE_CHECKING:
    from pipeline.manifest.report import FlaggedChunk, Report
    from pipeline.run.events import Finished

AUDIO = (".m4b", ".mp3", ".flac", ".wav", ".opus")
#: Flagged chunks listed on the terminal; the report has them all.
MAX_LISTED = 10


def summarize(finished: Finished) -> None:
    """Write the outcome of a render for a person."""
    from pipeline.manifest.report import Report

    folder, result = Path(finished.folder), finished.result
    if finished.was_done:
        typer.echo("Already rendered; every file is intact.")
    typer.echo(f"\n{folder}")
    files = {
        Path(file.name).name: file.size_bytes
        for file in result.outputs
        if "/report_files/" not in file.name
    }
    for name in sorted(files, key=lambda name: (not name.endswith(AUDIO), name)):
        typer.echo(f"  {size(files[name]):>9}  {name}")
    typer.echo(f"\n{clock(result.duration_s)} of narration in {count(result.n_chunks, 'chunk')}.")
    _judge(Report.decode((folder / "report.json").read_bytes()))
    audio = next((name for name in sorted(files) if name.endswith(AUDIO)), None)
    if audio:
        typer.echo(f"Listen: open '{folder / audio}' in a player.")


def _judge(report: Report) -> None:
    """Say whether all is spoken and checked, and list what is not."""
    if report.flagged:
        flagged = count(len(report.flagged), "chunk")
        text = f"{flagged} did not pass the check; listen to what is flagged in report.html:"
        typer.secho(text, fg=typer.colors.YELLOW)
        for chunk in report.flagged[:MAX_LISTED]:
            _list(report, chunk)
        if len(report.flagged) > MAX_LISTED:
            typer.echo(f"  … and {len(report.flagged) - MAX_LISTED} more")
    elif report.check == "off":
        text = "Every sentence has audio, but nothing was checked (--check off)."
        typer.secho(text, fg=typer.colors.YELLOW)
    else:
        typer.echo("Complete: every sentence is spoken and checked. See report.html.")


def _list(report: Report, chunk: FlaggedChunk) -> None:
    chapter = report.chapter(chunk.chapter)
    why = "; ".join(defect.detail for defect in chunk.verdict.defects)
    typer.echo(f"  {chapter.title}, {clock(chunk.start_s)}: {chunk.text}")
    typer.echo(f"    {why}")
