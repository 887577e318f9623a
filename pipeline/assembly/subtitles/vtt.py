"""WebVTT files."""

from __future__ import annotations

import html
from collections.abc import Sequence

from pipeline.assembly.subtitles.clock import clock
from pipeline.assembly.subtitles.cues import Cue
from pipeline.manifest.timeline import Timeline


def render(timeline: Timeline, cues: Sequence[Cue]) -> str:  # noqa: ARG001 - one shape for all
    """Return the cues as WebVTT; each names its voice when the file has several."""
    has_voices = len({cue.voice for cue in cues}) > 1
    blocks = (_block(number, cue, has_voices) for number, cue in enumerate(cues, start=1))
    return "\n".join(("WEBVTT\n", *blocks))


def _block(number: int, cue: Cue, has_voices: bool) -> str:
    times = f"{clock(cue.start_ms, '.')} --> {clock(cue.end_ms, '.')}"
    text = "\n".join(html.escape(line, quote=False) for line in cue.texts)
    if has_voices:
        text = f"<v {html.escape(cue.voice, quote=False)}>{text}</v>"
    return f"{number}\n{times}\n{text}\n"
