"""Timings without a model: the words share the speech in proportion to their length."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.assembly.alignment.words import has_sound
from pipeline.audio.energy import SpeechSpan
from pipeline.manifest.marks import Word


def spread(words: Sequence[str], runs: Sequence[SpeechSpan]) -> tuple[Word, ...]:
    """Divide the speech in `runs` (samples) among the words by their number of letters."""
    weights = [_weight(word) for word in words]
    total = sum(weights) or 1
    spoken = sum(run.end - run.start for run in runs)
    timed: list[Word] = []
    before = 0
    for word, weight in zip(words, weights, strict=True):
        start = _place(before * spoken // total, runs)
        before += weight
        end = max(start, _place(before * spoken // total, runs, is_end=True))
        timed.append(Word(text=word, start_sample=start, end_sample=end))
    return tuple(timed)


def _weight(word: str) -> int:
    # One more than the letters: short words last longer than their letters say.
    return 1 + sum(c.isalnum() for c in word) if has_sound(word) else 0


def _place(spoken: int, runs: Sequence[SpeechSpan], *, is_end: bool = False) -> int:
    """Return the sample before which `spoken` samples of speech have passed.

    At a pause a start lies after it and an end before it.
    """
    for run in runs:
        length = run.end - run.start
        if spoken < length or (is_end and spoken == length):
            return run.start + spoken
        spoken -= length
    return runs[-1].end if runs else 0
