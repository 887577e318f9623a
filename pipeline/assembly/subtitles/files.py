"""Subtitle files beside a finished file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from pipeline.assembly.delivery.replacing import write_text
from pipeline.assembly.subtitles import ass, srt, vtt, words_json
from pipeline.assembly.subtitles.cues import Cue, cues
from pipeline.assembly.subtitles.style import CueStyle, for_language
from pipeline.errors import RequestError
from pipeline.manifest.timeline import Timeline


class Render(Protocol):
    """Turns a timeline and its cues into the text of a file."""

    def __call__(self, timeline: Timeline, cues: tuple[Cue, ...]) -> str:
        """Return the file's text."""
        ...


FORMATS: Mapping[str, Render] = MappingProxyType(
    {"srt": srt.render, "vtt": vtt.render, "ass": ass.render, "json": words_json.render}
)


def write(
    timeline: Timeline, formats: Iterable[str], stem: Path, style: CueStyle | None = None
) -> list[Path]:
    """Write `STEM.srt`, `STEM.vtt` … and return their paths.

    Args:
        timeline: Timing of the finished file.
        formats: Any of `FORMATS`.
        stem: The finished file's path without its suffix.
        style: The rules for cues; by default what is usual in the language.

    Raises:
        RequestError: A format is unknown.
        StorageError: The disk is full or the folder cannot be written.
    """
    renders = [(name, _render(name)) for name in formats]
    made = cues(timeline, style or for_language(timeline.language))
    paths = []
    for name, render in renders:
        # Not with_suffix: a title may end in ".5".
        paths.append(stem.with_name(f"{stem.name}.{name}"))
        write_text(paths[-1], render(timeline, made))
    return paths


def _render(name: str) -> Render:
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise RequestError(f"No subtitle format {name!r}. Choose any of: {known}.")
    return FORMATS[name]
