"""A stretch of time inside a clip."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Start and end in seconds from the start of the clip."""

    start_s: float
    end_s: float

    def moved(self, by_s: float) -> Span:
        """Return the same stretch, later by `by_s`."""
        return Span(self.start_s + by_s, self.end_s + by_s)
