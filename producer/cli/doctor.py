"""`voxmill doctor`: what is installed, what is missing, the remedy."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.doctor import Finding


def doctor(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what is installed, what is missing, and the remedy.

    Exit codes: 0 all that is needed is there, 1 something is missing.
    """
    from pipeline.doctor import examine
    from pipeline.settings import Settings

    findings = []
    for finding in examine(Settings()):
        findings.append(finding)
        if not json:
            _show(finding)
    if json:
        typer.echo(jsonlib.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=1))
    if any(each.is_needed and not each.is_ok for each in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    state, colour = "ok", typer.colors.GREEN
    if not finding.is_ok:
        state = "missing" if finding.is_needed else "warning"
        colour = typer.colors.RED if finding.is_needed else typer.colors.YELLOW
    typer.echo(f"{typer.style(f'{state:<8}', fg=colour)} {finding.name:<13} {finding.detail}")
    if not finding.is_ok and finding.remedy:
        typer.echo(f"{'':<22} {finding.remedy}")
