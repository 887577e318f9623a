"""`voxmill models`: what models there are, where they lie; fetch them, check them."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.models.files import Progress
    from pipeline.models.verify import Inspection, State
    from pipeline.settings import Settings

#: Seconds between two lines of progress.
LINE_EVERY_S = 2.0

#: Of the longest name.
WIDTH = 29

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]

app = typer.Typer(help="Models on this machine.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Models on this machine."""


@app.command("list")
def list_models(json: JsonOption = False) -> None:
    """List every model and where it lies.

    With each: what it is for, its size and its licence.
    """
    from pipeline.models.catalogue import MODELS
    from pipeline.settings import Settings

    settings = Settings()
    rows = [_row(name, settings) for name in MODELS]
    if json:
        typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        place = "; ".join(filter(None, _place(row)))
        typer.echo(
            f"{row['model']:<{WIDTH}} {row['purpose']:<38} {_megabytes(row['size_bytes']):>9}  "
            f"{row['licence']:<11} {place}"
        )


@app.command("pull")
def pull_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Models, by name.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON event a line.")] = False,
) -> None:
    """Fetch models and what they need, and repair damaged ones.

    A download that broke off goes on where it stopped.
    """
    from pipeline.models import catalogue
    from pipeline.models.pull import pull
    from pipeline.settings import Settings

    settings = Settings()
    for name in catalogue.with_needs(names):
        with _progress(name, as_json=json) as progress:
            folder = pull(name, settings, progress)
        if json:
            _event(event="done", model=name, folder=str(folder))
        else:
            typer.echo(f"{name}: intact in {folder}")


@app.command("verify")
def verify_models(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Models; all when none is named.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Hash every file of the models.

    Exit codes: 0 all files are right, 1 one is damaged, or a named model is missing or cannot be
    verified.
    """
    from pipeline.models.catalogue import MODELS
    from pipeline.models.verify import State, verify
    from pipeline.settings import Settings

    settings = Settings()
    found = [verify(name, settings) for name in names or MODELS]
    if json:
        typer.echo(jsonlib.dumps([_told(each) for each in found], ensure_ascii=False, indent=1))
    else:
        for each in found:
            _show(each)
    accepted = {State.INTACT} if names else set(State) - {State.DAMAGED}
    if any(each.state not in accepted for each in found):
        raise typer.Exit(1)


def _row(name: str, settings: Settings) -> dict[str, Any]:
    from pipeline.errors import ModelError
    from pipeline.models import catalogue, resolve
    from pipeline.models.verify import State, home, inspect

    model = catalogue.get(name)
    state, remedy = State.INTACT, None
    try:
        folder = resolve.find(name, settings)
    except ModelError as error:
        folder, state, remedy = None, State.DAMAGED, str(error)
    if not folder and not remedy:
        found = inspect(model, home(model, settings))
        folder = found.folder if found.state is State.UNVERIFIED else None
        state, remedy = found.state, _remedy(name, found.state)
    return {
        "model": name,
        "purpose": model.purpose,
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "state": state,
        "folder": str(folder) if folder else None,
        "remedy": remedy,
    }


def _remedy(name: str, state: State) -> str:
    verb = "get it" if state == "missing" else "compare it with the hub's"
    return f"{verb} with: voxmill models pull {name}"


def _place(row: dict[str, Any]) -> tuple[str | None, ...]:
    """Tell where a model is; of one that is not simply there, what to do."""
    if row["state"] == "intact":
        return (row["folder"],)
    return row["folder"], row["state"], row["remedy"]


def _megabytes(size_bytes: int | None) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes else "? MB"


def _told(inspection: Inspection) -> dict[str, Any]:
    return {
        "model": inspection.model,
        "folder": str(inspection.folder),
        "state": inspection.state,
        "files": inspection.files,
    }


def _show(inspection: Inspection) -> None:
    from pipeline.models.verify import State

    typer.echo(f"{inspection.model:<{WIDTH}} {inspection.state:<10} {inspection.folder}")
    if inspection.state is State.MISSING and set(inspection.files.values()) == {State.MISSING}:
        return
    for name, state in inspection.files.items():
        if state is not State.INTACT:
            typer.echo(f"{'':<{WIDTH}} {state:<10} {name}")
    if inspection.state is State.DAMAGED:
        typer.echo(f"{'':<{WIDTH}} repair it with: voxmill models pull {inspection.model}")
    elif inspection.state is State.UNVERIFIED:
        typer.echo(f"{'':<{WIDTH}} {_remedy(inspection.model, inspection.state)}")


@contextmanager
def _progress(model: str, *, as_json: bool) -> Iterator[Progress]:
    """Show progress as events, as a bar on a terminal, or as a line now and then."""
    from rich.console import Console

    if as_json:
        yield _seldom(
            lambda what, done, total: _event(
                event="progress", model=model, file=what, done_bytes=done, total_bytes=total
            )
        )
    elif Console(stderr=True).is_terminal:
        with _bar() as progress:
            yield progress
    else:
        yield _seldom(
            lambda what, done, total: typer.echo(
                f"{model}: {what} {done / 1e6:.1f} of {total / 1e6:.1f} MB", err=True
            )
        )


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description:<30}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, rich_progress.TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress


def _seldom(show: Callable[[str, int, int], None]) -> Progress:
    """Pass on the end of each file, and in between a report every few seconds."""
    last = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() > last + LINE_EVERY_S:
            last = time.monotonic()
            show(what, done, total)

    return progress


def _event(**fields: object) -> None:
    typer.echo(jsonlib.dumps(fields, ensure_ascii=False))
