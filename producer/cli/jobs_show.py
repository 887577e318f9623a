"""A job in words and as JSON: in a list, and by itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from pipeline.assembly.report.phrases import count, size
from pipeline.errors import VoxmillError
from pipeline.jobs import delivery
from pipeline.jobs.state import STATES, State
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from producer.cli.progress import clock
from producer.queue.looking import Detail, Seen

#: Chunks and failures listed on the terminal; JSON has them all.
MAX_LISTED = 10


def states(given: list[str]) -> list[State]:
    """Read `--state`, which may be repeated.

    Raises:
        typer.BadParameter: There is no such state.
    """
    wanted = [each for text in given for each in text.split(",")]
    unknown = [each for each in wanted if each not in STATES]
    if unknown:
        raise typer.BadParameter(
            f"unknown {', '.join(unknown)}; choose of {', '.join(STATES)}", param_hint="--state"
        )
    return [each for each in STATES if each in wanted]


def row(seen: Seen) -> dict[str, Any]:
    """Return what a list says of a job."""
    request, result = seen.request, seen.result
    return {
        "job": str(request.ref),
        "state": seen.state,
        "title": request.body.render.title,
        "created": _moment(request.created_s),
        "share_done": round(seen.share, 4),
        "chunks": request.n_chunks,
        "flagged": result.n_flagged if result else None,
        "failed": result.n_failed if result else None,
        "duration_s": round(result.duration_s if result else request.duration_s, 1),
        "priority": request.body.priority,
    }


def line(seen: Seen) -> str:
    """Return a job as a line of a list."""
    request = seen.request
    done = f"{seen.share:4.0%}" if seen.result is None else "    "
    created = datetime.fromtimestamp(request.created_s, tz=UTC).astimezone()
    return (
        f"{request.ref!s:<44} {seen.state:<10} {done} {request.n_chunks:>7} chunks  "
        f"{created:%Y-%m-%d %H:%M}  {request.body.render.title}"
    )


def document(detail: Detail, settings: Settings, links_s: int) -> dict[str, Any]:
    """Return all there is to say of a job.

    Args:
        detail: What is known of it.
        settings: Reach its output.
        links_s: How long links to its files are to be good.
    """
    seen, request, result = detail.seen, detail.seen.request, detail.seen.result
    body = request.body
    return {
        **row(seen),
        "reason": detail.reason,
        "progress": asdict(detail.progress),
        "author": body.render.author,
        "engine": body.render.engine,
        "voices": [name for name, _ in body.render.voice_revisions],
        "sources": [source.name for source in body.render.sources],
        "output": body.output,
        "location": result.location if result else None,
        "outputs": _outputs(seen, settings, links_s),
        "deadline": _moment(request.deadline_s) if request.deadline_s else None,
        "webhook": body.webhook is not None,
        "finished": _moment(result.finished_s) if result and result.finished_s else None,
        "rounds": seen.found.round + 1,
        "notes": list(request.notes),
        "troubles": [
            {
                "chunk": each.chunk.index,
                "outcome": each.outcome,
                "text": each.chunk.text,
                "why": each.why,
            }
            for each in detail.troubles
        ],
        "failures": [each.model_dump(exclude={"version"}) for each in detail.failures],
    }


def tell(detail: Detail, said: dict[str, Any]) -> None:
    """Write a job for a person."""
    request, progress = detail.seen.request, detail.progress
    reason = f": {said['reason']}" if said["reason"] else ""
    typer.echo(f"{request.ref}: {detail.seen.state}{reason}")
    by = f" by {said['author']}" if said["author"] else ""
    facts = {
        "title": f"{said['title']}{by}",
        "from": ", ".join(said["sources"]),
        "spoken": f"{', '.join(said['voices'])} ({said['engine']})",
        "submitted": f"{said['created']}, priority {said['priority']}",
        "deadline": said["deadline"],
        "finished": said["finished"],
        "rounds": said["rounds"] if said["rounds"] > 1 else None,
        "done": f"{progress.n_done} of {count(progress.n_chunks, 'chunk')}, "
        f"{clock(progress.audio_s)} of audio, {progress.n_flagged} flagged, "
        f"{progress.n_failed} failed",
        "files in": said["location"] or (None if detail.seen.result else f"{said['output']} later"),
    }
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"  {name:<10} {value}")
    for note in request.notes:
        typer.echo(f"  note: {note}")
    for file in said["outputs"]:
        typer.echo(f"  {size(file['size_bytes']):>9}  {file['name']}\n             {file['link']}")
    _list(
        [f"{each.outcome}: {each.chunk.text}\n    {each.why}" for each in detail.troubles],
        "These chunks did not pass:",
    )
    _list(
        [
            f"{each.stage} of {each.shard}, attempt {each.attempt} on {each.worker}: "
            f"{each.kind}: {each.detail}"
            for each in detail.failures
        ],
        "These attempts came to nothing:",
    )


def _list(lines: list[str], title: str) -> None:
    if not lines:
        return
    typer.echo(title)
    for each in lines[:MAX_LISTED]:
        typer.echo(f"  {each}")
    if len(lines) > MAX_LISTED:
        typer.echo(f"  … and {len(lines) - MAX_LISTED} more; see --json")


def _outputs(seen: Seen, settings: Settings, links_s: int) -> list[dict[str, Any]]:
    """Return the files, each with a link where one can be made."""
    if seen.result is None or not seen.result.location:
        return []
    try:
        store = open_store(seen.request.body.output, settings)
        links: list[str | None] = [*delivery.links(seen.result, seen.request, store, links_s)]
    except VoxmillError:  # no keys here to sign with: all else can be shown
        links = [None] * len(seen.result.outputs)
    return [
        {**file.model_dump(), "link": link}
        for file, link in zip(seen.result.outputs, links, strict=True)
    ]


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, tz=UTC).isoformat(timespec="seconds")
