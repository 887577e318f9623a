"""`voxmill voices`: who can speak."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import typer

app = typer.Typer(help="Voices on this machine.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Voices on this machine."""


@app.command("list")
def list_voices(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List voices: those that can speak, and those to fetch."""
    from pipeline.engines import catalogue
    from pipeline.settings import Settings

    settings = Settings()
    rows = [
        {
            "voice": voice.name,
            "engine": name,
            "language": voice.language,
            "description": voice.description,
            "installed": voice.is_installed,
            "remedy": voice.remedy,
        }
        for name in catalogue.ENGINES
        for voice in catalogue.load(name, settings).voices()
    ]
    if json:
        typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        state = "ready" if row["installed"] else f"missing; {row['remedy']}"
        typer.echo(
            f"{row['voice']:<10} {row['engine']:<8} {row['language']:<6} "
            f"{row['description']:<24} {state}"
        )
