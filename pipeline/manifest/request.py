"""What was asked for: all that decides the outcome of a job, and nothing else."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.plan import Pauses
from pipeline.manifest.script import Source

CheckMode = Literal["off", "fast", "full"]


class RenderRequest(Record):
    """A job, complete: the same request on the same text gives the same bytes."""

    version: Literal[1] = 1
    sources: tuple[Source, ...]
    title: str
    author: str | None
    engine: str
    #: The engine's own parameters, (name, value) pairs.
    engine_options: tuple[tuple[str, str], ...] = ()
    #: The default voice, by name.
    voice: str
    #: (speaker, voice) pairs, from `--voices`.
    speaker_voices: tuple[tuple[str, str], ...] = ()
    language: str = "auto"
    profile: str
    #: Where the profile leaves a choice; None for its own.
    channels: int | None = None
    formats: tuple[str, ...]
    subtitles: tuple[str, ...]
    check: CheckMode = "fast"
    #: How often a chunk is synthesized before it is flagged.
    max_takes: int = 3
    #: 1.0 is the voice's own pace.
    speed: float = 1.0
    #: Another seed gives another performance of the whole text.
    seed: int = 0
    pauses: Pauses = Pauses()
    lexicon_sha256: str | None = None
    #: "2-4,7": chapters to render, counted from 1; None for all.
    chapters: str | None = None
    footnotes: Literal["speak", "skip"] = "skip"
    tables: Literal["speak", "skip"] = "speak"
    # Versions of what makes the sound and the verdicts.
    engine_fingerprint: str
    #: (voice, revision) pairs of every voice that speaks.
    voice_revisions: tuple[tuple[str, str], ...]
    #: (voice, where it comes from) pairs: of a cloned voice its UUID and the consent's.
    voice_origins: tuple[tuple[str, str], ...] = ()
    checker: str
    voxmill: str
