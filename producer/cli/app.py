"""The `voxmill` command: mounts the commands and turns errors into messages and exit codes.

Exit codes: 0 all done and complete · 1 an error · 2 bad input or options · 3 finished, but
flagged chunks remain · 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from producer.cli import doctor, jobs, models, plan, render, stack, store, submit, verify, voices

app = typer.Typer(
    name="voxmill",
    help="Turn books, scripts and subtitle files into finished, checked narration.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("render")(render.render)
app.command("submit")(submit.submit)
app.add_typer(jobs.app, name="jobs")
app.command("plan")(plan.plan)
app.command("verify")(verify.verify)
app.add_typer(models.app, name="models")
app.add_typer(voices.app, name="voices")
app.command("doctor")(doctor.doctor)
app.add_typer(stack.app, name="stack")
app.add_typer(store.app, name="store")


def _mount(name: str) -> None:
    """Mount a command of the workers by its name: the producer does not know them."""
    app.command(name)(getattr(import_module(f"workers.cli.{name}"), name))


for command in ("worker", "reconcile", "queues"):
    _mount(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"voxmill {metadata.version('voxmill')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Turn books, scripts and subtitle files into finished, checked narration."""


def main() -> None:
    """Run the command line; the only place where errors become exit codes."""
    from pipeline.errors import VoxmillError

    try:
        app()
    except VoxmillError as error:
        typer.secho(f"voxmill: {error}", fg=typer.colors.RED, err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.secho("voxmill: stopped.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
