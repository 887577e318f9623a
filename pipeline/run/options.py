"""What the user of `render` chooses, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.manifest.plan import Pauses
from pipeline.manifest.request import CheckMode


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """The options of a render; None means "what the engine, profile or text says"."""

    engine: str = "hibari"
    #: The engine's own parameters, as text: {"top_k": "5"}.
    engine_options: dict[str, str] = field(default_factory=dict)
    voice: str | None = None
    #: Voice of each speaker of a dialogue script.
    speaker_voices: dict[str, str] = field(default_factory=dict)
    profile: str = "audiobook"
    #: 1 or 2, where the profile leaves the choice; None for its own.
    channels: int | None = None
    formats: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ("srt", "vtt")
    language: str = "auto"
    title: str | None = None
    author: str | None = None
    lexicon: Path | None = None
    chapters: str | None = None
    footnotes: Literal["speak", "skip"] = "skip"
    tables: Literal["speak", "skip"] = "speak"
    check: CheckMode = "fast"
    max_takes: int = 3
    speed: float = 1.0
    seed: int = 0
    pauses: Pauses = field(default_factory=Pauses)
