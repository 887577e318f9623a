"""`voxmill render`: inputs in, finished folders out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.cli.options import Flags, with_flags

if TYPE_CHECKING:
    from pipeline.run.options import RenderOptions
    from pipeline.settings import Settings

#: Exit code when everything is made, but chunks remain that did not pass the check.
FLAGGED = 3
#: Of several inputs, the worst outcome is the command's.
WORST_FIRST = (1, 2, FLAGGED, 0)


@with_flags
def render(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT…", help="Books, scripts or subtitle files.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the finished files.")],
    flags: Flags,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; one a core if not given.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON event a line.")] = False,
) -> None:
    """Render texts into finished, checked, subtitled narration.

    Run the same command again to go on after an interruption: what is done is kept.
    Exit codes: 0 complete, 3 made but some chunks are flagged, 2 bad input, 1 another error;
    of several inputs the worst.
    """
    options, settings = flags.options(), flags.settings(jobs)
    codes = {_render_one(path, out, options, settings, as_json=json) for path in inputs}
    sys.exit(next(code for code in WORST_FIRST if code in codes))


def _render_one(
    path: Path, out: Path, options: RenderOptions, settings: Settings, *, as_json: bool
) -> int:
    """Render one input; report an error of this input without stopping the others."""
    from pipeline.errors import InputError, ProfileError, VoxmillError
    from pipeline.run.render import render as run
    from producer.cli import outcome, progress

    try:
        with progress.display(as_json=as_json) as tell:
            finished = run(path, out, options, settings, tell)
    except (InputError, ProfileError) as error:
        if as_json:
            progress.json_error(error)
        typer.secho(f"voxmill: {error}", fg=typer.colors.RED, err=True)
        return error.exit_code
    except VoxmillError as error:
        if as_json:
            progress.json_error(error)
        raise
    except KeyboardInterrupt:
        typer.secho(
            "\nStopped. Finished chunks are kept: run the same command again to go on.", err=True
        )
        raise SystemExit(130) from None
    if not as_json:
        outcome.summarize(finished)
    return FLAGGED if finished.result.n_flagged else 0
