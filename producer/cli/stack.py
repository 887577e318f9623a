"""`voxmill stack`: a queue on this machine, without a container engine."""

from __future__ import annotations

import json as jsonlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from producer.stack.stack import Seen

FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help="Keeps data and logs; your data folder if not given."),
]

app = typer.Typer(help="A queue on this machine: Redis, S3, workers.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """A queue on this machine: Redis, S3, workers."""


@app.command("up")
def up(
    workers: Annotated[
        int | None, typer.Option(min=1, help="Workers that speak; one a core if not given.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Start what does not run yet; returns when everything answers."""
    from pipeline.local_stack import default_folder
    from producer.stack import stack

    place = folder or default_folder()
    state = stack.up(place, workers or os.cpu_count() or 1, lambda text: typer.echo(text, err=True))
    typer.echo(f"{len(state.processes)} processes run; logs in {place / 'logs'}")


@app.command("down")
def down(
    folder: FolderOption = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove all data, jobs too.")] = False,
) -> None:
    """Stop everything; data is kept, and unfinished jobs go on after the next `up`."""
    from pipeline.local_stack import default_folder
    from producer.stack import stack

    stack.down(folder or default_folder(), lambda text: typer.echo(text, err=True), purge=purge)


@app.command("status")
def status(
    folder: FolderOption = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show each process and whether it is healthy.

    Exit codes: 0 all are, 1 one is not, or nothing runs.
    """
    from pipeline.local_stack import default_folder
    from producer.stack import stack

    seen = stack.status(folder or default_folder())
    if json:
        typer.echo(jsonlib.dumps({"processes": [_row(each) for each in seen]}, indent=1))
    elif not seen:
        typer.echo("nothing runs; start it with: voxmill stack up", err=True)
    else:
        for row in map(_row, seen):
            state = "healthy" if row["healthy"] else "not healthy"
            typer.echo(f"{row['name']:<12} {state:<12} pid {row['pid']:<8} port {row['port']}")
    if not seen or not all(each.is_healthy for each in seen):
        raise typer.Exit(1)


def _row(seen: Seen) -> dict[str, object]:
    process = seen.process
    return {
        "name": process.name,
        "pid": process.pid,
        "port": process.port,
        "healthy": seen.is_healthy,
    }
