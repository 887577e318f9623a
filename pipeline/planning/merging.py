"""Which short sentences share a chunk with their neighbour.

One-word chunks are where engines and checkers are least reliable. A short sentence joins the chunk
before it, at the start of a paragraph the one after it. Whether two sentences are joined depends on
nothing further away than a run of short ones, so editing a sentence never re-cuts a paragraph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.planning.characters import width
from pipeline.planning.units import Unit


@dataclass(frozen=True, slots=True)
class Room:
    """How the characters of a chunk are shared out between long and short sentences."""

    #: A sentence is short when it is less wide than this.
    short_below: int
    #: What a run of short sentences may add to a chunk.
    for_run: int
    #: Longest part of a long sentence, so that short ones still fit before and after it.
    for_sentence: int

    @classmethod
    def within(cls, max_chars: int, merge_below_chars: int) -> Room:
        """Share out a chunk of `max_chars`; at least half of it is for the sentence."""
        short_below = min(merge_below_chars, max_chars // 6)
        return cls(short_below, 2 * short_below, max_chars - 3 * short_below)


def joins(units: Sequence[Unit], room: Room) -> list[bool]:
    """Tell for each sentence whether it goes on with the chunk of the one before it."""
    joined = [False] * len(units)
    start = 0
    for end in range(1, len(units) + 1):
        if end == len(units) or not units[end - 1].may_share_chunk_with(units[end]):
            joined[start:end] = _joins_within([width(u.text) for u in units[start:end]], room)
            start = end
    return joined


def _joins_within(widths: Sequence[int], room: Room) -> list[bool]:
    """Tell it for the sentences of one paragraph, voice and language."""
    joined = [False]
    is_leading, run = widths[0] < room.short_below, widths[0]
    if not is_leading:
        run = 0
    for _, own in pairwise(widths):
        if own < room.short_below:
            run += own
            joined.append(run <= room.for_run)
            run = run if joined[-1] else own
        else:
            joined.append(is_leading and run < room.short_below)
            is_leading, run = False, 0
    return joined
