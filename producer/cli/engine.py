"""Options that several commands share: the engine's parameters, and where and how it computes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings

EngineOption = Annotated[
    str,
    typer.Option(help="hibari, gpt-sovits, silent (speaks nothing), or one of VOXMILL_ENGINES."),
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="A parameter of the engine, such as version=v2Pro, top_k=5; may be repeated.",
    ),
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", metavar="DIR", help="GPT-SoVITS models: a `pretrained_models`."),
]
DeviceOption = Annotated[str | None, typer.Option(help="Of gpt-sovits: auto, cpu, cuda or cuda:N.")]
PrecisionOption = Annotated[
    str | None, typer.Option(help="Of gpt-sovits: auto, fp32, bf16, fp16 or int8.")
]


def parameters(given: list[str] | None) -> dict[str, str]:
    """Read `--param top_k=5 --param version=v2Pro`."""
    found = {}
    for each in given or []:
        name, equals, value = (part.strip() for part in each.partition("="))
        if not (name and equals and value):
            raise typer.BadParameter(f"{each!r} is not like top_k=5", param_hint="--param")
        found[name] = value
    return found


def settings(
    *,
    jobs: int | None = None,
    models: Path | None = None,
    device: str | None = None,
    precision: str | None = None,
) -> Settings:
    """Return the machine's settings with what the command line says instead."""
    from pipeline.settings import Settings

    given: dict[str, Any] = {
        "jobs": jobs,
        "gpt_sovits_dir": models,
        "device": device,
        "precision": precision,
    }
    return Settings(**{name: value for name, value in given.items() if value is not None})
