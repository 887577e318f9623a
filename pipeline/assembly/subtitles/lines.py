"""Setting tokens in one or two lines, and cutting a sentence into runs that can be set so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from pipeline.assembly.subtitles import breaks
from pipeline.assembly.subtitles.style import CueStyle
from pipeline.assembly.subtitles.tokens import Token, width

#: Costs of a cut, in the currency of `breaks`: for the cue itself, for the room it leaves empty,
#: and for each second it is shorter than the shortest good cue.
CUE_COST, EMPTY_COST, SHORT_COST = 18.0, 10.0, 40.0

Lines = tuple[tuple[Token, ...], ...]


class Setter:
    """Sets runs `tokens[first:end]` of one sentence or a few; answers in constant time."""

    def __init__(self, tokens: Sequence[Token], style: CueStyle) -> None:
        self._tokens, self._style = tokens, style
        self._costs = breaks.costs(tokens)
        widths = (token.spaced + width(token.text) for token in tokens)
        self._ends = (0, *accumulate(widths))
        self._full = self._full_lines()

    def columns(self, first: int, end: int) -> int:
        """Return the width of a run on one line."""
        return self._ends[end] - self._ends[first] - self._tokens[first].spaced

    def fits(self, first: int, end: int) -> bool:
        """Tell whether a run can be set in two lines; one word fits however long it is."""
        return self._full[first] >= end or self._full[self._full[first]] >= end

    def lines(self, first: int, end: int) -> Lines:
        """Set a run that fits: in one line if it can, else in two, well broken and balanced."""
        if self._full[first] >= end:
            return (tuple(self._tokens[first:end]),)
        cuts = [k for k in range(first + 1, end) if self._full[first] >= k and self._full[k] >= end]
        cut = min(cuts, key=lambda k: self._line_cost(first, k, end))
        return tuple(self._tokens[first:cut]), tuple(self._tokens[cut:end])

    def cuts(self) -> tuple[int, ...]:
        """Return where the runs end when the tokens are cut into the best cues."""
        n = len(self._tokens)
        best, previous = [0.0, *[float("inf")] * n], [0] * (n + 1)
        for end in range(1, n + 1):
            for first in range(end - 1, -1, -1):
                if not self._is_cue(first, end):
                    break
                total = best[first] + self._cue_cost(first, end)
                if total < best[end]:
                    best[end], previous[end] = total, first
        ends = [n]
        while previous[ends[-1]]:
            ends.append(previous[ends[-1]])
        return tuple(reversed(ends))

    def _full_lines(self) -> tuple[int, ...]:
        """Return for each token the end of the fullest line that begins with it."""
        n, ends, end = len(self._tokens), [], 0
        for first in range(n):
            end = max(end, first + 1)
            while end < n and self.columns(first, end + 1) <= self._style.max_columns:
                end += 1
            ends.append(end)
        return (*ends, n)

    def _is_cue(self, first: int, end: int) -> bool:
        if end - first == 1:
            return True
        run, style = self._tokens[first:end], self._style
        return (
            self.fits(first, end)
            and run[-1].end_s - run[0].start_s <= style.max_duration_s
            and run[1].start_s - run[0].end_s <= style.max_pause_s
        )

    def _cue_cost(self, first: int, end: int) -> float:
        style = self._style
        duration_s = self._tokens[end - 1].end_s - self._tokens[first].start_s
        empty = max(0.0, 1 - self.columns(first, end) / (2 * style.max_columns))
        short_s = max(0.0, style.min_duration_s - duration_s)
        cut = self._costs[end - 1] + CUE_COST
        return cut + EMPTY_COST * empty**2 + SHORT_COST * short_s

    def _line_cost(self, first: int, cut: int, end: int) -> float:
        upper, lower = self.columns(first, cut), self.columns(cut, end)
        # Of two equal breaks, the shorter upper line hides less of the picture.
        return self._costs[cut - 1] + abs(upper - lower) / 2 + (upper > lower)
