"""`voxmill stack`: a queue on this machine, without a container engine."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from producer.stack.stack import Seen

FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help="Keeps data and logs; VOXMILL_STACK_DIR if not given."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]

app = typer.Typer(help="A queue on this machine: Redis, S3, workers.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """A queue on this machine: Redis, S3, workers."""


@app.command("up")
def up(
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Workers that speak; as many as run, else one a core."),
    ] = None,
    folder: FolderOption = None,
    json: JsonOption = False,
) -> None:
    """Start what does not run yet; returns when everything answers."""
    from producer.stack import stack

    settings = _settings(folder)
    started = stack.up(settings, workers, _tell)
    if json:
        _show(stack.status(settings.stack_dir), as_json=True)
    else:
        typer.echo("The stack is up." if started else "The stack was up already.")
        typer.echo(f"Logs: {settings.stack_dir / stack.LOGS}")
    _hint(settings)


@app.command("down")
def down(
    folder: FolderOption = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove all data, jobs too.")] = False,
) -> None:
    """Stop everything; data is kept, and unfinished jobs go on after the next `up`."""
    from producer.stack import stack

    stack.down(_settings(folder), _tell, purge=purge)
    typer.echo("The stack is down, and its data removed." if purge else "The stack is down.")


@app.command("status")
def status(folder: FolderOption = None, json: JsonOption = False) -> None:
    """Show each process and whether it is healthy.

    Exit codes: 0 all are, 1 one is not, or nothing runs.
    """
    from producer.stack import stack

    seen = stack.status(_settings(folder).stack_dir)
    _show(seen, as_json=json)
    if not seen or not all(each.is_healthy for each in seen):
        raise typer.Exit(1)


def _settings(folder: Path | None) -> Settings:
    from pipeline.settings import Settings

    settings = Settings()
    place = (folder or settings.stack_dir).absolute()
    return settings.model_copy(update={"stack_dir": place})


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _hint(settings: Settings) -> None:
    """Say what keeps `submit` and `jobs` from finding this stack by themselves."""
    from pipeline.settings import Settings

    if settings.store_url:
        _tell("VOXMILL_STORE_URL is set: submit and jobs go there, and not to this stack.")
    elif settings.stack_dir != Settings().stack_dir.absolute():
        _tell(f"For submit and jobs: export VOXMILL_STACK_DIR='{settings.stack_dir}'")


def _show(seen: list[Seen], *, as_json: bool) -> None:
    if as_json:
        typer.echo(jsonlib.dumps({"processes": [_row(each) for each in seen]}, indent=1))
    elif not seen:
        _tell("Nothing runs. Start it with: voxmill stack up")
    for row in [] if as_json else map(_row, seen):
        state = "healthy" if row["healthy"] else "not healthy"
        typer.echo(f"{row['name']:<12} {state:<12} pid {row['pid']:<8} port {row['port']}")


def _row(seen: Seen) -> dict[str, object]:
    process = seen.process
    return {
        "name": process.name,
        "pid": process.pid,
        "port": process.port,
        "healthy": seen.is_healthy,
    }
