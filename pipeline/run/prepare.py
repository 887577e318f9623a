"""Read, plan, and fix everything that decides the outcome, before anything is synthesized."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from pipeline.assembly.profiles import PROFILES, Profile
from pipeline.engines import catalogue
from pipeline.engines.protocol import Engine
from pipeline.errors import InputError, LanguageError, RequestError
from pipeline.manifest.plan import Plan
from pipeline.manifest.request import RenderRequest
from pipeline.manifest.script import Block, Cover, Script
from pipeline.planning.lexicon import Lexicon
from pipeline.planning.lexicon import load as load_lexicon
from pipeline.planning.plan import PlanOptions, plan_script
from pipeline.planning.voices import speakers_without_voice
from pipeline.reading.read import ReadOptions, read_script
from pipeline.run.options import RenderOptions
from pipeline.run.recipe import Recipe, recipe_of
from pipeline.settings import Settings

#: Languages for messages.
LANGUAGE_NAMES = {"en": "English", "zh": "Chinese", "ja": "Japanese", "ko": "Korean"}


@dataclass(frozen=True, slots=True)
class Job:
    """Everything about a render that is known before the first sound."""

    id: str
    request: RenderRequest
    cover: Cover | None
    plan: Plan
    profile: Profile
    recipe: Recipe
    #: How many chunks the engine likes at once, and how many threads it makes use of.
    batch: int
    threads: int
    #: What the user should know: speakers without a voice, words that cannot be spoken.
    notes: tuple[str, ...]


def read(path: Path, options: RenderOptions, settings: Settings) -> Script:
    """Read an input as the options say."""
    return read_script(
        path,
        ReadOptions(
            language=options.language,
            chapters=options.chapters,
            footnotes=options.footnotes,
            tables=options.tables,
            max_chars=settings.max_script_chars,
            title=options.title,
            author=options.author,
            speakers=frozenset(options.speaker_voices),
        ),
    )


def plan(path: Path, script: Script, options: RenderOptions, engine: Engine) -> Plan:
    """Plan a script for an engine, refusing what the engine cannot do.

    Raises:
        LanguageError: The engine does not speak a language of the script.
        RequestError: A voice does not exist or is not installed.
        InputError: A voice named in the text does not exist, or the lexicon is not sound.
    """
    _require_languages(path, script, engine)
    _require_marked_voices(path, script, engine)
    voice = options.voice or engine.default_voice
    for name in (voice, *options.speaker_voices.values()):
        engine.voice_revision(name)
    return plan_script(
        script,
        PlanOptions(
            voice=voice,
            speaker_voices=options.speaker_voices,
            max_chars=engine.capabilities.max_chars,
            pauses=options.pauses,
            lexicon=load_lexicon(options.lexicon) if options.lexicon else Lexicon(),
        ),
    )


def prepare(path: Path, options: RenderOptions, settings: Settings, checker: str) -> Job:
    """Return the job for an input: the same input and options always give the same job id."""
    profile = with_channels(require_profile(options.profile), options.channels)
    engine = catalogue.load(options.engine, settings, options.engine_options)
    script = read(path, options, settings)
    planned = plan(path, script, options, engine)
    engine.require(options.speed, (each for chunk in planned.chunks for each in chunk.readings))
    request = _request(script, planned, options, profile, engine, checker)
    return Job(
        id=content_id(request, planned),
        request=request,
        cover=script.cover,
        plan=planned,
        profile=profile,
        recipe=recipe_of(request, engine.capabilities.sample_rate_hz),
        batch=engine.capabilities.preferred_batch,
        threads=engine.capabilities.threads,
        notes=(*script.notes, *_warnings(script, planned, options, engine)),
    )


def content_id(request: RenderRequest, planned: Plan) -> str:
    """Return what identifies a job by all that decides its outcome."""
    return hashlib.sha256(request.encode() + planned.encode()).hexdigest()[:16]


def require_profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        RequestError: There is none.
    """
    if name not in PROFILES:
        raise RequestError(f"No profile {name!r}. Choose one of: {', '.join(PROFILES)}.")
    return PROFILES[name]


def with_channels(profile: Profile, channels: int | None) -> Profile:
    """Return the profile for files of 1 or 2 channels; None keeps its own number.

    Raises:
        RequestError: The profile does not allow that number.
    """
    if channels is None or channels == profile.channels:
        return profile
    if channels not in profile.other_channels:
        raise RequestError(
            f"The profile {profile.name!r} has {profile.channels} channel(s); --channels {channels}"
            " does not fit it. Leave --channels out, or choose another --profile."
        )
    level = profile.level
    if level is not None:
        level = replace(level, target_db=level.for_channels(channels, profile.channels))
    return replace(profile, channels=channels, level=level)


def _request(
    script: Script,
    planned: Plan,
    options: RenderOptions,
    profile: Profile,
    engine: Engine,
    checker: str,
) -> RenderRequest:
    voices = sorted({chunk.voice for chunk in planned.chunks})
    lexicon = options.lexicon.read_bytes() if options.lexicon else None
    return RenderRequest(
        sources=script.sources,
        title=script.title,
        author=script.author,
        engine=engine.name,
        engine_options=tuple(sorted(options.engine_options.items())),
        voice=options.voice or "",
        speaker_voices=tuple(sorted(options.speaker_voices.items())),
        language=options.language,
        profile=profile.name,
        channels=options.channels,
        formats=options.formats or profile.formats,
        subtitles=options.subtitles,
        check=options.check,
        max_takes=options.max_takes,
        speed=options.speed,
        seed=options.seed,
        pauses=options.pauses,
        lexicon_sha256=hashlib.sha256(lexicon).hexdigest() if lexicon is not None else None,
        chapters=options.chapters,
        footnotes=options.footnotes,
        tables=options.tables,
        engine_fingerprint=engine.fingerprint(),
        voice_revisions=tuple((name, engine.voice_revision(name)) for name in voices),
        voice_origins=tuple((name, engine.origin(name)) for name in voices),
        checker=checker,
        voxmill=metadata.version("voxmill"),
    )


def _blocks(script: Script) -> Iterable[Block]:
    return (block for chapter in script.chapters for block in chapter.blocks)


def _require_languages(path: Path, script: Script, engine: Engine) -> None:
    spoken = engine.capabilities.languages
    for block in _blocks(script):
        language = block.language or script.language
        if block.spans and language not in spoken:
            known = ", ".join(LANGUAGE_NAMES.get(tag, tag) for tag in sorted(spoken))
            raise LanguageError(
                path,
                f"the text is in {LANGUAGE_NAMES.get(language, repr(language))}, and the engine "
                f"{engine.name!r} speaks {known} only.",
                remedy="Choose another --engine, or give --language if this was detected wrongly.",
                place=block.place or None,
            )


def _require_marked_voices(path: Path, script: Script, engine: Engine) -> None:
    for block in _blocks(script):
        for span in block.spans:
            if span.voice is None:
                continue
            try:
                engine.voice_revision(span.voice)
            except RequestError as error:
                raise InputError(
                    path,
                    f"[voice: {span.voice}] names a voice that cannot speak.",
                    remedy=str(error),
                    place=block.place or None,
                ) from error


def _warnings(
    script: Script, planned: Plan, options: RenderOptions, engine: Engine
) -> Iterable[str]:
    if not engine.capabilities.speaks:
        yield f"nothing is spoken: the engine {engine.name!r} only hums, for dry runs"
    if options.check == "off":
        yield "nothing is checked (--check off): listen to it yourself"
    missing = speakers_without_voice(script, options.speaker_voices)
    if missing:
        yield f"no voice given for {', '.join(missing)}: spoken by the default voice"
    for chunk in planned.chunks:
        dropped = engine.unspeakable(chunk.text, chunk.language)
        if dropped:
            yield f"{engine.name} cannot speak {' '.join(dropped)!r} in {chunk.text!r}"
