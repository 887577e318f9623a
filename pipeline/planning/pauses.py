"""How long to be silent after a sentence, or after a part of one."""

from __future__ import annotations

from pipeline.manifest.plan import Pauses
from pipeline.planning.characters import STOPS, STRONG_CLAUSES, WEAK_CLAUSES, closes
from pipeline.planning.units import Unit


def after_unit(unit: Unit, following: Unit | None, pauses: Pauses) -> int:
    """Return the pause after a whole sentence, in milliseconds; a mark in the text decides."""
    if unit.pause_after_ms is not None:
        return unit.pause_after_ms
    if following is None or following.chapter != unit.chapter:
        return pauses.chapter_ms
    if following.scene != unit.scene:
        return pauses.scene_break_ms
    if following.block == unit.block:
        # Where a voice ends without punctuation, the next one still lets it finish.
        return max(after_text(unit.text, pauses), pauses.clause_ms)
    if unit.is_heading or following.is_heading:
        return pauses.heading_ms
    return pauses.paragraph_ms


def after_text(text: str, pauses: Pauses) -> int:
    """Return the pause that the last punctuation mark asks for, in milliseconds."""
    bare = text.rstrip()
    while bare and closes(bare[-1]):
        bare = bare[:-1].rstrip()
    if bare.endswith(("…", "...")):
        return pauses.ellipsis_ms
    mark = bare[-1:]
    if mark and mark in "?？؟":
        return pauses.question_ms
    if mark and mark in STOPS:
        return pauses.sentence_ms
    return pauses.clause_ms if mark and mark in STRONG_CLAUSES + WEAK_CLAUSES else pauses.word_ms
