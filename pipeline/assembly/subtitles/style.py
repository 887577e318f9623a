"""How cues should look and how long they should stand, by language."""

from __future__ import annotations

from dataclasses import dataclass

#: Languages written without spaces in characters twice as wide as Latin ones.
WIDE_LANGUAGES = frozenset({"zh", "yue", "ja", "ko"})


@dataclass(frozen=True, slots=True)
class CueStyle:
    """The rules for cues of at most two lines.

    Widths count columns: a Latin letter takes 1, a Chinese character 2.
    """

    #: Of one line.
    max_columns: int = 42
    #: Columns a second that a reader follows.
    max_columns_per_s: float = 17.0
    min_duration_s: float = 5 / 6
    max_duration_s: float = 7.0
    #: Two frames at 24 frames a second.
    min_gap_s: float = 2 / 24
    #: A silence this long always ends a cue.
    max_pause_s: float = 1.5


def for_language(language: str) -> CueStyle:
    """Return the usual style: 42 letters a line and 17 a second, or 16 and 9 wide characters."""
    if language in WIDE_LANGUAGES:
        return CueStyle(max_columns=2 * 16, max_columns_per_s=2 * 9.0)
    return CueStyle()
