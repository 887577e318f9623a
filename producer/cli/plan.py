"""`voxmill plan`: what would be spoken, without speaking it."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.cli.engine import EngineOption, ModelsOption, ParamOption
from producer.cli.options import speaker_voices

if TYPE_CHECKING:
    from pipeline.manifest.plan import Plan
    from pipeline.planning.summary import Summary


def plan(
    path: Annotated[Path, typer.Argument(metavar="INPUT", help="Book, script or subtitles.")],
    voice: Annotated[str | None, typer.Option(help="Voice.")] = None,
    voices: Annotated[
        str | None, typer.Option(help="Voice of each speaker: host=heart,guest=emma.")
    ] = None,
    engine: EngineOption = "hibari",
    param: ParamOption = None,
    models: ModelsOption = None,
    language: Annotated[str, typer.Option(help="auto, or a tag such as en.")] = "auto",
    lexicon: Annotated[Path | None, typer.Option(help="Pronunciations, CSV or YAML.")] = None,
    chapters: Annotated[str | None, typer.Option(help="Chapters: 2-4,7.")] = None,
    chunks: Annotated[bool, typer.Option("--chunks", help="Show every chunk.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The whole plan as JSON.")] = False,
) -> None:
    """Show what would be spoken: chapters, chunks, estimated duration. Nothing is synthesized."""
    from pipeline.engines import catalogue
    from pipeline.planning.summary import summarize
    from pipeline.run import prepare
    from pipeline.run.options import RenderOptions
    from producer.cli.engine import parameters, settings

    machine = settings(models=models)
    options = RenderOptions(
        engine=engine,
        engine_options=parameters(param),
        voice=voice,
        speaker_voices=speaker_voices(voices),
        language=language,
        lexicon=lexicon,
        chapters=chapters,
    )
    script = prepare.read(path, options, machine)
    planned = prepare.plan(
        path, script, options, catalogue.load(engine, machine, options.engine_options)
    )
    if json:
        summary = asdict(summarize(planned))
        document = {"summary": summary, "notes": script.notes, "plan": planned.model_dump()}
        typer.echo(jsonlib.dumps(document, ensure_ascii=False, indent=1))
        return
    _show(planned, summarize(planned), script.notes)
    if chunks:
        for chunk in planned.chunks:
            typer.echo(
                f"{chunk.index:>5}  {chunk.voice}  {chunk.text}  [{chunk.pause_after_ms} ms]"
            )


def _show(planned: Plan, summary: Summary, notes: tuple[str, ...]) -> None:
    from producer.cli.progress import clock

    author = f" by {planned.author}" if planned.author else ""
    typer.echo(f"{planned.title}{author} ({planned.language})")
    for number, chapter in enumerate(summary.chapters, 1):
        typer.echo(
            f"{number:>4}  {chapter.title:<44.44} {chapter.n_chunks:>6} chunks "
            f"{chapter.n_chars:>8} characters  {clock(chapter.duration_s)}"
        )
    typer.echo(f"about {clock(summary.duration_s)} in {len(planned.chunks)} chunks")
    for note in notes:
        typer.echo(f"note: {note}")
