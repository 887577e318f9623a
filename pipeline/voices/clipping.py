"""Peaks that were cut off: flat tops, or what an encoder makes of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples

#: A flat top stays within this share of the highest peak …
FLAT = 0.001
#: … for so many samples; the round top of a natural peak does not.
MIN_FLAT_SAMPLES = 4


def clipped(samples: Samples) -> npt.NDArray[np.int64]:
    """Return the sample at which each clipped peak begins, in order.

    Lossless files keep the flat tops, also when the level was lowered later. A lossy encoder
    rounds them, and its decoder then overshoots full scale.
    """
    levels = np.abs(samples)
    top = float(levels.max(initial=0.0))
    flat = [start for start, end in _runs(levels >= top * (1 - FLAT)) if _is_long(start, end)]
    over = [start for start, _ in _runs(levels > 1.0)]
    return np.array(sorted({*flat, *over}) if top else [], np.int64)


def _is_long(start: int, end: int) -> bool:
    return end - start >= MIN_FLAT_SAMPLES


def _runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and one past the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
