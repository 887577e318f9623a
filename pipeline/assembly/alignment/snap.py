"""Moves word edges that lie at a pause to where the energy says speech stops and starts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.audio.energy import SpeechSpan


@dataclass(frozen=True, slots=True)
class Edge:
    """Start and end of a word in samples of the clip."""

    start: int
    end: int


def snapped(edges: Sequence[Edge], runs: Sequence[SpeechSpan], reach: int) -> list[Edge]:
    """Return the edges with those at pauses, and the outermost two, moved to the energy's.

    Args:
        edges: Of the words that have a sound, in order.
        runs: The runs of speech, parted by pauses; at least one.
        reach: How far a boundary may lie from the pause it is taken to, in samples.
    """
    moved = list(edges)
    for before, after in itertools.pairwise(runs):
        pause = SpeechSpan(before.end, after.start)
        at = _nearest(moved, pause)
        if at is not None and _distance(moved, at, pause) <= reach:
            moved[at] = replace(moved[at], end=pause.start)
            moved[at + 1] = replace(moved[at + 1], start=pause.end)
    moved[0] = replace(moved[0], start=runs[0].start)
    moved[-1] = replace(moved[-1], end=runs[-1].end)
    return ordered(moved, runs[0].start, runs[-1].end)


def ordered(edges: Sequence[Edge], first: int, last: int) -> list[Edge]:
    """Return the edges made to follow one another inside `first`…`last`."""
    result: list[Edge] = []
    at = first
    for index, edge in enumerate(edges):
        start = min(max(edge.start, at), last)
        limit = min(edges[index + 1].start, last) if index + 1 < len(edges) else last
        at = max(start, min(edge.end, max(limit, start)))
        result.append(Edge(start, at))
    return result


def _nearest(edges: Sequence[Edge], pause: SpeechSpan) -> int | None:
    """Return the word before the boundary closest to the pause."""
    boundaries = range(len(edges) - 1)
    return min(boundaries, key=lambda at: _distance(edges, at, pause), default=None)


def _distance(edges: Sequence[Edge], at: int, pause: SpeechSpan) -> int:
    """Return how far the boundary after word `at` lies outside the pause, in samples."""
    return max(0, pause.start - edges[at + 1].start, edges[at].end - pause.end)
