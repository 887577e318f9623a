"""`voxmill voices`: who can speak, and voices cloned from recordings."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from producer.cli.engine import DeviceOption, ModelsOption, ParamOption, PrecisionOption

if TYPE_CHECKING:
    from pipeline.manifest.voice import Voice
    from pipeline.settings import Settings

#: What a voice says when it is tried out.
TEST_TEXTS = {
    "en": "The lamp was lit at a quarter past nine. Nobody came to the door that night.",
    "zh": "灯在九点一刻亮了起来。那天晚上没有人来敲门。",
    "ja": "九時十五分に明かりがつきました。その夜、ドアをたたく人はいませんでした。",
    "ko": "아홉 시 십오 분에 불이 켜졌습니다. 그날 밤에는 아무도 문을 두드리지 않았습니다.",
    "yue": "九點三個字盞燈就着咗。嗰晚冇人嚟敲門。",
}

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A cloned voice, by name or UUID.")]

app = typer.Typer(help="Voices on this machine; clone one.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Voices on this machine; clone one."""


@app.command("list")
def list_voices(json: JsonOption = False) -> None:
    """List voices: those that can speak, and those to fetch."""
    from pipeline.settings import Settings
    from pipeline.voices import registry

    settings = Settings()
    cloned = registry.all_voices(registry.open_store(settings))
    rows = [*_built_in(settings), *map(_row, cloned)]
    if json:
        typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        state = "ready" if row["installed"] else f"missing; {row['remedy']}"
        typer.echo(
            f"{row['voice']:<10} {row['engine']:<10} {row['language']:<6} "
            f"{row['description']:<24} {state}"
        )


@app.command("add")
def add_voice(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the voice.")],
    audio: Annotated[Path, typer.Option(help="About a minute of one person's clean speech.")],
    language: Annotated[str, typer.Option(help="What is spoken in it: zh, en, ja, ko or yue.")],
    consent: Annotated[str, typer.Option(help="Who agreed, to what use of the voice.")],
    text: Annotated[
        str | None, typer.Option(help="What is said; written down by Whisper if not given.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Whose voice it is; what stands first in --consent if not.")
    ] = None,
    aux: Annotated[
        list[Path] | None, typer.Option(help="One more recording of the person; repeatable.")
    ] = None,
    s1: Annotated[
        str | None, typer.Option(help="The voice's own GPT checkpoint, .ckpt: a path or name.")
    ] = None,
    s2: Annotated[
        str | None, typer.Option(help="The voice's own SoVITS checkpoint, .pth: a path or name.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Clone a voice from a recording.

    The best 3 to 10 seconds are chosen, cleaned and checked against the text.
    """
    from pipeline.models import resolve
    from pipeline.models.whisper import Whisper
    from pipeline.settings import Settings
    from pipeline.voices import consent as consents
    from pipeline.voices import registry

    settings = Settings()
    agreed = consents.given(consent, owner)
    voice = registry.add(
        name,
        audio,
        language=language,
        consent=agreed,
        store=registry.open_store(settings),
        whisper=Whisper(resolve.model_dir("whisper-base", settings=settings)),
        text=text,
        aux=aux or (),
        fine_tune=(_absolute(s1), _absolute(s2)),
        reserved=_reserved(settings),
    )
    _show(voice, as_json=json)


@app.command("show")
def show_voice(name: Name, json: JsonOption = False) -> None:
    """Show a cloned voice: what it says, where it comes from, who agreed to what."""
    from pipeline.settings import Settings
    from pipeline.voices import registry

    _show(registry.find(name, registry.open_store(Settings())), as_json=json)


@app.command("test")
def try_voice(
    name: Name,
    text: Annotated[str | None, typer.Option(help="What to say.")] = None,
    out: Annotated[Path | None, typer.Option(help="WAV file; NAME.wav if not given.")] = None,
    param: ParamOption = None,
    models: ModelsOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
) -> None:
    """Speak a sentence with a cloned voice, to listen to."""
    import soundfile

    from pipeline.engines import catalogue
    from pipeline.engines.protocol import Utterance
    from pipeline.errors import EngineError
    from pipeline.run.speaking import speak
    from pipeline.voices import registry
    from producer.cli import engine as options

    settings = options.settings(models=models, device=device, precision=precision)
    voice = registry.find(name, registry.open_store(settings))
    engine = catalogue.load(catalogue.CLONING, settings, options.parameters(param))
    utterance = Utterance(text or TEST_TEXTS[voice.language], voice.language, voice.name, seed=0)
    (spoken,) = speak(engine, [utterance])
    if isinstance(spoken, EngineError):
        raise spoken
    path = out or Path(f"{voice.name}.wav")
    _require_folder(path)
    soundfile.write(path, spoken.samples, spoken.sample_rate_hz, subtype="PCM_16")
    typer.echo(f"{path}: {spoken.duration_s:.1f} s. Listen: open it in a player.")


@app.command("rename")
def rename_voice(
    name: Name, new_name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")]
) -> None:
    """Give a cloned voice another name; its UUID stays."""
    from pipeline.settings import Settings
    from pipeline.voices import registry

    settings = Settings()
    store = registry.open_store(settings)
    voice = registry.rename(name, new_name, store, _reserved(settings))
    typer.echo(f"{voice.name}: {voice.uuid}")


@app.command("remove")
def remove_voice(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a cloned voice for good: its audio, and all that was computed from it."""
    from pipeline.settings import Settings
    from pipeline.voices import registry

    store = registry.open_store(Settings())
    if not yes:
        typer.confirm(f"Remove {name} for good?", abort=True)
    uuid = registry.remove(name, store)
    typer.echo(f"{name} ({uuid}): removed, with its audio and all that was computed from it.")


@app.command("export")
def export_voice(
    name: Name, file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What to write.")]
) -> None:
    """Write a cloned voice into a zip file, consent included."""
    from pipeline.settings import Settings
    from pipeline.voices import archive, registry

    store = registry.open_store(Settings())
    voice = registry.find(name, store)
    archive.export(voice, file, store)
    typer.echo(f"{file}: {voice.name} ({voice.uuid})")


@app.command("import")
def import_voice(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `export` wrote.")],
    name: Annotated[str | None, typer.Option(help="Another name than its own.")] = None,
    json: JsonOption = False,
) -> None:
    """Take over a voice that was exported, under its UUID."""
    from pipeline.settings import Settings
    from pipeline.voices import archive, registry

    settings = Settings()
    store = registry.open_store(settings)
    voice = archive.import_voice(file, store, name=name, reserved=_reserved(settings))
    _show(voice, as_json=json)


def _absolute(path_or_name: str | None) -> str | None:
    """Return the path of a file from any folder; a name as it is."""
    is_file = path_or_name is not None and Path(path_or_name).is_file()
    return str(Path(path_or_name).absolute()) if path_or_name and is_file else path_or_name


def _built_in(settings: Settings) -> list[dict[str, Any]]:
    """Return the voices that engines bring along; none of one that only hums."""
    from pipeline.engines import catalogue

    names = [name for name in catalogue.known(settings) if name != catalogue.CLONING]
    engines = [catalogue.load(name, settings) for name in names]
    return [
        {
            "voice": voice.name,
            "engine": engine.name,
            "language": voice.language,
            "description": voice.description,
            "installed": voice.is_installed,
            "remedy": voice.remedy,
        }
        for engine in engines
        if engine.capabilities.speaks
        for voice in engine.voices()
    ]


def _reserved(settings: Settings) -> frozenset[str]:
    return frozenset(row["voice"] for row in _built_in(settings))


def _row(voice: Voice) -> dict[str, Any]:
    from pipeline.engines import catalogue

    return {
        "voice": voice.name,
        "engine": catalogue.CLONING,
        "language": voice.language,
        "description": f"cloned; {voice.consent.owner}",
        "installed": True,
        "remedy": "",
        "uuid": str(voice.uuid),
        "owner": voice.consent.owner,
        "consent": str(voice.consent.id),
    }


def _show(voice: Voice, *, as_json: bool) -> None:
    if as_json:
        document = {**voice.model_dump(mode="json"), "revision": voice.revision}
        typer.echo(jsonlib.dumps(document, ensure_ascii=False, indent=1))
        return
    from pipeline.assembly.report.phrases import count

    origin, consent = voice.origin, voice.consent
    quality = f", quality {origin.quality:.1f} of 5" if origin.quality is not None else ""
    lines = {
        "voice": f"{voice.name} ({voice.language}), {voice.uuid}",
        "says": voice.text,
        "heard": origin.heard or "not checked: Whisper does not know the language",
        "taken": f"{origin.start_s:.1f} to {origin.end_s:.1f} s of the recording, "
        f"{origin.snr_db:.0f} dB above the noise{quality}",
        "aux": count(len(voice.aux_sha256), "more recording"),
        "owner": consent.owner,
        "consent": f"{consent.statement} ({consent.date}, {consent.id})",
    }
    if voice.s1 or voice.s2:
        lines["models"] = ", ".join(filter(None, (voice.s1, voice.s2)))
    for title, line in lines.items():
        typer.echo(f"{title:<8} {line}")


def _require_folder(path: Path) -> None:
    from pipeline.errors import RequestError

    if not path.parent.is_dir():
        raise RequestError(f"--out {path}: there is no folder {path.parent}. Make it first.")
