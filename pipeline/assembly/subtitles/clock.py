"""Times of day as subtitle formats write them."""

from __future__ import annotations


def clock(time_ms: int, separator: str) -> str:
    """Return `HH:MM:SS` and milliseconds after a separator: 3723004 → 01:02:03.004."""
    seconds, ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}"
