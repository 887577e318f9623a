"""`voxmill store`: what a store must keep, proved."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings

app = typer.Typer(help="The object store of the queue.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """The object store of the queue."""


@app.command("check")
def check(
    url: Annotated[
        str | None,
        typer.Argument(metavar="[S3://BUCKET/PREFIX]", help="The queue's own if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Prove that a store may be trusted with jobs.

    Conditional writes, reading and listing what was just written, uploads in parts, links. What
    is written, about 150 MB, lies below `probe/` and is removed.
    Exit codes: 0 all is kept, 1 something is not.
    """
    from pipeline.store import probe
    from pipeline.store.opening import open_store

    settings = _settings(url)
    findings = []
    for finding in probe.check(open_store(url or settings.store_url, settings)):
        findings.append(finding)
        if not json:
            state, colour = ("kept", "green") if finding.is_kept else ("broken", "red")
            typer.echo(f"{typer.style(f'{state:<7}', fg=colour)} {finding.name:<44} ", nl=False)
            typer.echo(
                "" if finding.is_kept else f"{finding.detail}. {finding.needed_for} need it."
            )
    if json:
        typer.echo(jsonlib.dumps([asdict(each) for each in findings], indent=1))
    if not all(each.is_kept for each in findings):
        raise typer.Exit(1)


def _settings(url: str | None) -> Settings:
    """Return settings that reach a store: those of a running stack, unless there is none."""
    from pipeline.errors import RequestError
    from pipeline.local_stack import settings_of_running
    from pipeline.settings import Settings

    try:
        return settings_of_running(Settings())
    except RequestError:
        if url is None:
            raise
        return Settings()
