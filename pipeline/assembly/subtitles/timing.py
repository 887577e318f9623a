"""When cues appear and go: whole milliseconds, never overlapping, never outside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.assembly.subtitles.style import CueStyle
from pipeline.manifest.timeline import Timeline


@dataclass(frozen=True, slots=True)
class CueSpan:
    """From when to when a cue stands."""

    start_ms: int
    end_ms: int


def spans(
    speech_s: Sequence[tuple[float, float]],
    needs_s: Sequence[float],
    timeline: Timeline,
    style: CueStyle,
) -> list[CueSpan]:
    """Return the span of each cue.

    Args:
        speech_s: Start and end of the speech of each cue, in order of start.
        needs_s: How long a reader needs each cue.
        timeline: Gives the end of the file and of the chapters.
        style: The rules.
    """
    file_end = int(timeline.duration_s * 1000)
    starts = _starts([start_s for start_s, _ in speech_s], file_end)
    chapter_starts = [round(chapter.start_s * 1000) for chapter in timeline.chapters]
    made = []
    for (start, following), (_, end_s), need_s in zip(
        pairwise([*starts, None]), speech_s, needs_s, strict=True
    ):
        assert start is not None
        chapter = bisect_right(chapter_starts, start)
        limit = chapter_starts[chapter] if chapter < len(chapter_starts) else file_end
        latest = min(limit, _latest(start, following, limit, style))
        wanted = _wanted(start, round(end_s * 1000), need_s, style)
        made.append(CueSpan(start, max(start + 1, min(wanted, latest))))
    return made


def _starts(starts_s: Sequence[float], file_end: int) -> list[int]:
    """Return strictly rising starts that leave every cue a millisecond before the file ends."""
    made: list[int] = []
    for index, start_s in enumerate(starts_s):
        lowest = made[-1] + 1 if made else 0
        highest = file_end - (len(starts_s) - index)
        made.append(min(max(round(start_s * 1000), lowest), highest))
    return made


def _latest(start: int, following: int | None, limit: int, style: CueStyle) -> int:
    """Return when a cue must be gone: a gap before the next, unless that would halve it."""
    if following is None:
        return limit
    gap = min(round(style.min_gap_s * 1000), (following - start) // 2)
    return following - gap


def _wanted(start: int, speech_end: int, need_s: float, style: CueStyle) -> int:
    """Return when a cue would go if nothing came after it."""
    longest = start + round(style.max_duration_s * 1000)
    readable = min(start + -int(-need_s * 1000 // 1), longest)
    return max(speech_end, readable)
