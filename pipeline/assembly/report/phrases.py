"""Figures as people read them."""

from __future__ import annotations


def clock(time_s: float) -> str:
    """Return a place in a file: 0:07, 12:05, 1:02:09."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(n_bytes: int) -> str:
    """Return a file size: 812 bytes, 3.4 MB, 1.2 GB."""
    value = float(n_bytes)
    for unit in ("bytes", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit != "MB" else f"{value:.1f} MB"
        value /= 1000
    return f"{value:.1f} GB"


def count(n: int, noun: str) -> str:
    """Return a number with its noun: 1 chunk, 1,204 sentences."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
