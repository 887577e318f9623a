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
    from pipeline.models.verify import Inspection
    from pipeline.settings import Settings

#: Seconds between two lines of progress.
LINE_EVERY_S = 2.0

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
        place = row["folder"] or f"{row['state']}; {row['remedy']}"
        typer.echo(
            f"{row['model']:<15} {row['purpose']:<38} {row['size_bytes'] / 1e6:>6.1f} MB  "
            f"{row['licence']:<11} {place}"
        )


@app.command("pull")
def pull_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Models, by name.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON event a line.")] = False,
) -> None:
    """Fetch models, and repair damaged ones.

    A download that broke off goes on where it stopped.
    """
    from pipeline.models import catalogue
    from pipeline.models.pull import pull
    from pipeline.settings import Settings

    settings = Settings()
    for name in names:
        catalogue.get(name)
    for name in names:
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

    Exit codes: 0 all files are right, 1 one is damaged, or a named model is missing.
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
    accepted = {State.INTACT} if names else {State.INTACT, State.MISSING}
    if any(each.state not in accepted for each in found):
        raise typer.Exit(1)


def _row(name: str, settings: Settings) -> dict[str, Any]:
    from pipeline.errors import ModelError
    from pipeline.models import catalogue, resolve

    model = catalogue.get(name)
    try:
        folder = resolve.find(name, settings)
        state, remedy = "missing", f"get it with: voxmill models pull {name}"
    except ModelError as error:
        folder, state, remedy = None, "damaged", str(error)
    return {
        "model": name,
        "purpose": model.purpose,
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "state": "intact" if folder else state,
        "folder": str(folder) if folder else None,
        "remedy": None if folder else remedy,
    }


def _told(inspection: Inspection) -> dict[str, Any]:
    return {
        "model": inspection.model,
        "folder": str(inspection.folder),
        "state": inspection.state,
        "files": inspection.files,
    }


def _show(inspection: Inspection) -> None:
    from pipeline.models.verify import State

    typer.echo(f"{inspection.model:<15} {inspection.state:<8} {inspection.folder}")
    if inspection.state is State.MISSING and set(inspection.files.values()) == {State.MISSING}:
        return
    for name, state in inspection.files.items():
        if state is not State.INTACT:
            typer.echo(f"{'':<15} {state:<8} {name}")
    if inspection.state is State.DAMAGED:
        typer.echo(f"{'':<15} repair it with: voxmill models pull {inspection.model}")


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
