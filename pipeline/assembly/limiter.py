"""A true-peak limiter: turns loud instants down in time, and moves no sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.assembly import blocks as blocks_of
from pipeline.assembly import true_peak
from pipeline.audio.clip import Samples

#: The gain begins to fall this long before a peak and is back this long after it.
REACH_MS = 10
#: Samples limited in one go: few, because a block without peaks costs nothing.
BLOCK_SAMPLES = 1 << 13


def limit(blocks: Iterable[Samples], ceiling_db: float, sample_rate_hz: int) -> Iterator[Samples]:
    """Yield the stream with no true peak above the ceiling, as many samples as came in."""
    ceiling = 10 ** (ceiling_db / 20)
    reach = REACH_MS * sample_rate_hz // 2000  # of each of the two windows below
    context = 4 * reach + 2 * true_peak.HALF_TAPS
    before = np.zeros(context, np.float32)
    body: Samples | None = None
    for block in _with_end(blocks, context):
        if body is not None:
            window = np.concatenate([before, body, block[:context]])
            yield _limited(window, ceiling, reach)[context : context + len(body)]
            before = window[len(body) : len(body) + context]
        body = block


def _with_end(blocks: Iterable[Samples], context: int) -> Iterator[Samples]:
    """Yield blocks of one size and then `context` samples of silence to look ahead into."""
    yield from blocks_of.of_size(blocks, BLOCK_SAMPLES)
    yield np.zeros(context, np.float32)


def _limited(window: Samples, ceiling: float, reach: int) -> Samples:
    if np.abs(window).max(initial=0.0) * true_peak.BOUND <= ceiling:
        return window
    peaks = true_peak.peaks(window, ceiling)
    if peaks.max() <= ceiling:
        return window
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    return window * _smoothed(needed, reach)


def _smoothed(gain: Samples, reach: int) -> Samples:
    """Return a smooth gain that is nowhere above the given one, shape [T].

    The lowest gain within two reaches on either side, averaged twice over one reach on either
    side: every value that is averaged is at most the gain needed at the centre.
    """
    lowest = _running_minimum(gain, 2 * reach)
    for _ in range(2):
        padded = np.pad(lowest, (reach + 1, reach), mode="edge")
        total = np.cumsum(padded, dtype=np.float64)
        width = 2 * reach + 1
        lowest = np.asarray((total[width:] - total[:-width]) / width, np.float32)
    return lowest


def _running_minimum(values: Samples, reach: int) -> Samples:
    """Return the minimum over `reach` samples on either side, shape [T]."""
    width = 2 * reach + 1
    lowest = np.pad(values, (reach, reach), mode="edge")
    done = 1
    while done < width:  # windows of `done` samples overlap into windows of up to twice that
        shift = min(done, width - done)
        lowest = np.minimum(lowest[:-shift], lowest[shift:])
        done += shift
    return lowest
