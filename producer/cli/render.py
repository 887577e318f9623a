"""`voxmill render`: inputs in, finished folders out."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from producer.cli.engine import DeviceOption, ModelsOption, ParamOption, PrecisionOption

if TYPE_CHECKING:
    from pipeline.manifest.plan import Pauses
    from pipeline.run.options import RenderOptions
    from pipeline.settings import Settings

FORMATS = ("m4b", "mp3", "flac", "wav", "opus")
SUBTITLES = ("srt", "vtt", "ass", "json")

#: Exit code when everything is made, but chunks remain that did not pass the check.
FLAGGED = 3
#: Of several inputs, the worst outcome is the command's.
WORST_FIRST = (1, 2, FLAGGED, 0)


class ProfileName(StrEnum):
    """Delivery profiles."""

    audiobook = "audiobook"
    podcast = "podcast"
    acx = "acx"
    broadcast = "broadcast"
    raw = "raw"


class CheckName(StrEnum):
    """How thoroughly chunks are checked."""

    off = "off"
    fast = "fast"
    full = "full"


class Handling(StrEnum):
    """What to do with footnotes or tables."""

    speak = "speak"
    skip = "skip"


def render(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT…", help="Books, scripts or subtitle files.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the finished files.")],
    voice: Annotated[str | None, typer.Option(help="Voice; see `voxmill voices list`.")] = None,
    voices: Annotated[
        str | None, typer.Option(help="Voice of each speaker: host=heart,guest=emma.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Speech engine: hibari or gpt-sovits.")] = "hibari",
    param: ParamOption = None,
    models: ModelsOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    formats: Annotated[
        str | None, typer.Option(help="Of m4b,mp3,flac,wav,opus; the profile's own if not given.")
    ] = None,
    subtitles: Annotated[str, typer.Option(help="Of srt,vtt,ass,json; or none.")] = "srt,vtt",
    profile: Annotated[ProfileName, typer.Option(help="Delivery profile.")] = ProfileName.audiobook,
    channels: Annotated[
        int | None, typer.Option(min=1, max=2, help="Of podcast: 1 is mono at -19 LUFS.")
    ] = None,
    language: Annotated[str, typer.Option(help="auto, or a tag such as en.")] = "auto",
    title: Annotated[str | None, typer.Option(help="Title, instead of the text's own.")] = None,
    author: Annotated[str | None, typer.Option(help="Author, instead of the text's own.")] = None,
    lexicon: Annotated[Path | None, typer.Option(help="Pronunciations, CSV or YAML.")] = None,
    chapters: Annotated[str | None, typer.Option(help="Chapters to render: 2-4,7.")] = None,
    footnotes: Annotated[Handling, typer.Option(help="Footnotes.")] = Handling.skip,
    tables: Annotated[Handling, typer.Option(help="Tables.")] = Handling.speak,
    check: Annotated[CheckName, typer.Option(help="How to check chunks.")] = CheckName.fast,
    takes: Annotated[
        int, typer.Option(min=1, max=20, help="Tries of a chunk before it is flagged.")
    ] = 3,
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="1.0 is the voice's pace.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another performance.")] = 0,
    pauses: Annotated[
        str | None,
        typer.Option(help="Pauses in ms: sentence=420,paragraph=700,heading=1100,scene=1800 …"),
    ] = None,
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
    from pipeline.run.options import RenderOptions
    from producer.cli.engine import parameters, settings

    options = RenderOptions(
        engine=engine,
        engine_options=parameters(param),
        voice=voice,
        speaker_voices=speaker_voices(voices),
        profile=profile.value,
        channels=channels,
        formats=_listed(formats or "", FORMATS, "--formats"),
        subtitles=_listed("" if subtitles == "none" else subtitles, SUBTITLES, "--subtitles"),
        language=language,
        title=title,
        author=author,
        lexicon=lexicon,
        chapters=chapters,
        footnotes=footnotes.value,
        tables=tables.value,
        check=check.value,
        max_takes=takes,
        speed=speed,
        seed=seed,
        pauses=_pauses(pauses),
    )
    machine = settings(jobs=jobs, models=models, device=device, precision=precision)
    codes = {_render_one(path, out, options, machine, as_json=json) for path in inputs}
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


def _listed(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(
            f"unknown {', '.join(unknown)}; choose of {', '.join(known)}", param_hint=option
        )
    return names


def speaker_voices(text: str | None) -> dict[str, str]:
    """Read `--voices host=heart,guest=emma`: the voice of each speaker."""
    return _pairs(text, "--voices", "host=heart,guest=emma")


def _pairs(text: str | None, option: str, example: str) -> dict[str, str]:
    pairs = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise typer.BadParameter(f"{part!r} is not like {example}", param_hint=option)
        pairs[name.strip()] = value.strip()
    return pairs


def _pauses(text: str | None) -> Pauses:
    from pipeline.manifest.plan import Pauses

    names = {name.removesuffix("_ms"): name for name in Pauses.model_fields} | {
        "scene": "scene_break_ms"
    }
    chosen: dict[str, int] = {}
    for name, value in _pairs(text, "--pauses", "sentence=420").items():
        if name not in names or not value.isdigit():
            raise typer.BadParameter(
                f"{name}={value}; give milliseconds for {', '.join(names)}", param_hint="--pauses"
            )
        chosen[names[name]] = int(value)
    return Pauses(**chosen)
