"""The options of a performance: one list, which `render`, `submit` and its manifests share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from producer.cli.engine import (
    DeviceOption,
    EngineOption,
    ModelsOption,
    ParamOption,
    PrecisionOption,
)

if TYPE_CHECKING:
    from pipeline.manifest.plan import Pauses
    from pipeline.run.options import RenderOptions
    from pipeline.settings import Settings

FORMATS = ("m4b", "mp3", "flac", "wav", "opus")
SUBTITLES = ("srt", "vtt", "ass", "json")


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


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says of a performance, each part checked by itself."""

    voice: Annotated[str | None, typer.Option(help="Voice; see `voxmill voices list`.")] = None
    voices: Annotated[
        str | None, typer.Option(help="Voice of each speaker: host=heart,guest=emma.")
    ] = None
    engine: EngineOption = "hibari"
    param: ParamOption = None
    models: ModelsOption = None
    device: DeviceOption = None
    precision: PrecisionOption = None
    formats: Annotated[
        str | None, typer.Option(help="Of m4b,mp3,flac,wav,opus; the profile's own if not given.")
    ] = None
    subtitles: Annotated[str, typer.Option(help="Of srt,vtt,ass,json; or none.")] = "srt,vtt"
    profile: Annotated[ProfileName, typer.Option(help="Delivery profile.")] = ProfileName.audiobook
    channels: Annotated[
        int | None, typer.Option(min=1, max=2, help="Of podcast: 1 is mono at -19 LUFS.")
    ] = None
    language: Annotated[str, typer.Option(help="auto, or a tag such as en.")] = "auto"
    title: Annotated[str | None, typer.Option(help="Title, instead of the text's own.")] = None
    author: Annotated[str | None, typer.Option(help="Author, instead of the text's own.")] = None
    lexicon: Annotated[Path | None, typer.Option(help="Pronunciations, CSV or YAML.")] = None
    chapters: Annotated[str | None, typer.Option(help="Chapters to render: 2-4,7.")] = None
    footnotes: Annotated[Handling, typer.Option(help="Footnotes.")] = Handling.skip
    tables: Annotated[Handling, typer.Option(help="Tables.")] = Handling.speak
    check: Annotated[CheckName, typer.Option(help="How to check chunks.")] = CheckName.fast
    takes: Annotated[
        int, typer.Option(min=1, max=20, help="Tries of a chunk before it is flagged.")
    ] = 3
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="1.0 is the voice's pace.")] = 1.0
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another performance.")] = 0
    pauses: Annotated[
        str | None,
        typer.Option(help="Pauses in ms: sentence=420,paragraph=700,heading=1100,scene=1800 …"),
    ] = None

    def options(self) -> RenderOptions:
        """Return them as the pipeline takes them."""
        from pipeline.run.options import RenderOptions
        from producer.cli.engine import parameters

        return RenderOptions(
            engine=self.engine,
            engine_options=parameters(self.param),
            voice=self.voice,
            speaker_voices=speaker_voices(self.voices),
            profile=self.profile.value,
            channels=self.channels,
            formats=_listed(self.formats or "", FORMATS, "--formats"),
            subtitles=_listed(
                "" if self.subtitles == "none" else self.subtitles, SUBTITLES, "--subtitles"
            ),
            language=self.language,
            title=self.title,
            author=self.author,
            lexicon=self.lexicon,
            chapters=self.chapters,
            footnotes=self.footnotes.value,
            tables=self.tables.value,
            check=self.check.value,
            max_takes=self.takes,
            speed=self.speed,
            seed=self.seed,
            pauses=_pauses(self.pauses),
        )

    def settings(self, jobs: int | None = None) -> Settings:
        """Return the machine's settings with what the command line says instead."""
        from producer.cli.engine import settings

        return settings(jobs=jobs, models=self.models, device=self.device, precision=self.precision)

    def but(self, given: Mapping[str, object]) -> Flags:
        """Return these flags with others instead, by name as on the command line.

        Raises:
            RequestError: There is no such flag.
            typer.BadParameter: It cannot have that value.
        """
        from pipeline.errors import RequestError

        known = [each.name for each in fields(Flags)]
        arguments = []
        for name, value in given.items():
            if name not in known:
                raise RequestError(f"There is no option {name!r}; there are: {', '.join(known)}.")
            for each in value if isinstance(value, list) else [value]:
                arguments.append(f"--{name}={each}")
        found = _parser().main(arguments, prog_name="options", standalone_mode=False)
        return replace(self, **{name: getattr(found, name) for name in given})


#: Named as the parameter of a command that stands for all flags.
FLAGS = "flags"


def with_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take the flags as options, and get them as the one argument `flags`."""
    own = inspect.signature(command, eval_str=True).parameters
    hints = get_type_hints(Flags, include_extras=True)
    flags = {
        each.name: inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=hints[each.name],
        )
        for each in fields(Flags)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.items():
        expanded = flags.values() if name == FLAGS else [parameter]
        parameters += [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in expanded]

    @functools.wraps(command)
    def wrapped(**given: Any) -> Any:
        chosen = Flags(**{name: given.pop(name) for name in flags})
        return command(**given, **{FLAGS: chosen})

    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapped


def speaker_voices(text: str | None) -> dict[str, str]:
    """Read `--voices host=heart,guest=emma`: the voice of each speaker."""
    return _pairs(text, "--voices", "host=heart,guest=emma")


@functools.cache
def _parser() -> Any:
    """Return the command line of the flags alone, for flags that are given elsewhere."""
    app = typer.Typer(add_completion=False)

    @app.command()
    @with_flags
    def chosen(*, flags: Flags) -> Flags:
        return flags

    return typer.main.get_command(app)


def _listed(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(
            f"unknown {', '.join(unknown)}; choose of {', '.join(known)}", param_hint=option
        )
    return names


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
