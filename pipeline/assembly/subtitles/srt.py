"""SubRip files."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.assembly.subtitles.clock import clock
from pipeline.assembly.subtitles.cues import Cue
from pipeline.manifest.timeline import Timeline


def render(timeline: Timeline, cues: Sequence[Cue]) -> str:  # noqa: ARG001 - one shape for all
    """Return the cues as SRT. The format has no escapes: the text stands as it is."""
    return "\n".join(_block(number, cue) for number, cue in enumerate(cues, start=1))


def _block(number: int, cue: Cue) -> str:
    times = f"{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}"
    return "\n".join((str(number), times, *cue.texts)) + "\n"
