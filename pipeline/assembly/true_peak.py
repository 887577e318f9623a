"""The level between the samples: what a converter or a decoder will really reach."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.audio.clip import Samples

#: Points at which the signal is looked at for each sample.
OVERSAMPLING = 4
#: Samples on either side that decide the value between two samples.
HALF_TAPS = 12
#: Samples looked at in one go, at least `HALF_TAPS`; frames that cannot matter are skipped.
FRAME = 64


def _taps() -> Samples:
    """Return windowed-sinc taps for the points between samples, shape [2 * HALF_TAPS, 3]."""
    points = np.arange(1, OVERSAMPLING) / OVERSAMPLING
    distance = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1)[:, None] - points[None, :]
    window = np.i0(6.0 * np.sqrt(1 - np.square(distance / HALF_TAPS))) / np.i0(6.0)
    taps = np.sinc(distance) * window
    return np.asarray(taps / taps.sum(axis=0), np.float32)


TAPS = _taps()
#: No value between samples is larger than this times the largest sample around it.
BOUND = float(np.abs(TAPS).sum(axis=0).max())


def peaks(samples: Samples, above: float) -> Samples:
    """Return the largest magnitude between each sample and the next, shape [T].

    Exact wherever it may exceed `above`; elsewhere just the sample's own magnitude. What lies
    outside `samples` counts as silence.
    """
    (t,) = samples.shape
    n_frames = -(-t // FRAME)
    padded = np.zeros((n_frames + 2) * FRAME, np.float32)
    padded[FRAME : FRAME + t] = samples
    magnitudes = np.abs(padded).reshape(-1, FRAME)
    loudest = magnitudes.max(axis=1)
    around = np.maximum(np.maximum(loudest[:-2], loudest[1:-1]), loudest[2:])
    result = magnitudes[1:-1]
    chosen = np.flatnonzero(around * BOUND > above)
    if len(chosen):
        starts = sliding_window_view(padded, FRAME + 2 * HALF_TAPS - 1)[FRAME - HALF_TAPS + 1 :]
        frames = starts[::FRAME][chosen]  # [K, FRAME + 2 * HALF_TAPS - 1]
        between = np.abs(sliding_window_view(frames, 2 * HALF_TAPS, axis=1) @ TAPS)
        for point in range(OVERSAMPLING - 1):
            result[chosen] = np.maximum(result[chosen], between[..., point])
    return result.reshape(-1)[:t]


class TruePeakMeter:
    """The true peak of one channel, block by block."""

    def __init__(self) -> None:
        self._before = np.zeros(2 * HALF_TAPS, np.float32)
        self._peak = 0.0

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account."""
        both = np.concatenate([self._before, samples])
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0.0)))
        # The last points depend on the next block and are looked at with it.
        sure = peaks(both, self._peak)[HALF_TAPS - 1 : len(both) - HALF_TAPS]
        self._peak = max(self._peak, float(sure.max(initial=0.0)))
        self._before = both[-2 * HALF_TAPS :]

    def peak(self) -> float:
        """Return the largest magnitude so far, as if silence followed."""
        after = np.concatenate([self._before, np.zeros(HALF_TAPS, np.float32)])
        return max(self._peak, float(peaks(after, self._peak)[HALF_TAPS - 1 :].max()))
