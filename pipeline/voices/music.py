"""Music: partials that keep their frequency. The voice glides, an instrument stays on its note."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Samples
from pipeline.audio.energy import frame_levels_db
from pipeline.voices import frames

FRAME_SAMPLES = 1024
#: Frequencies that are looked at.
HIGHEST_HZ = 4000
N_PEAKS = 8
#: A steady partial is found again, within a 15th of a semitone, after each of these hops.
LATER_HOPS = (8, 16)
TOLERANCE = 0.004
#: Frames this far below the loudest ones do not count.
RANGE_DB = 30.0
#: Share of frames carried by steady partials from which it is music. Speech has at most 0.01,
#: instruments 0.5 and more (docs/voices.md).
MUSIC = 0.1

Values = npt.NDArray[np.float64]


def steadiness(samples: Samples) -> float:
    """Return the share of loud frames of 16 kHz audio that steady partials carry."""
    found = [_peaks(block) for block in frames.spectra(samples, FRAME_SAMPLES, FRAME_SAMPLES)]
    bins, powers = (np.concatenate(parts) for parts in zip(*found, strict=True))
    levels = frame_levels_db(samples, frames.HOP_SAMPLES)
    first = max(LATER_HOPS)
    n_frames = min(len(bins), len(levels))
    is_loud = levels[first:n_frames] > np.percentile(levels, 95) - RANGE_DB
    if not is_loud.any():
        return 0.0
    is_steady = np.ones((n_frames - first, N_PEAKS), bool)
    for hops in LATER_HOPS:
        is_steady &= _found_again(bins[first - hops : n_frames - hops], bins[first:n_frames])
    own = powers[first:n_frames]
    share = (own * is_steady).sum(axis=1) / np.maximum(own.sum(axis=1), 1e-12)
    return float(np.mean(share[is_loud] > 0.5))


def _peaks(spectra: frames.Spectra) -> tuple[Values, Values]:
    """Return the strongest peaks of each frame: their place in (fractional) bins, their power."""
    top = HIGHEST_HZ * FRAME_SAMPLES // frames.RATE_HZ
    magnitudes = np.abs(spectra[:, :top])
    logs = np.log(magnitudes + 1e-7)
    left, here, right = logs[:, :-2], logs[:, 1:-1], logs[:, 2:]
    is_peak = (here > left) & (here >= right)
    curve = np.where(is_peak, left - 2 * here + right, -1.0)
    places: Values = np.arange(1.0, top - 1) + np.where(is_peak, 0.5 * (left - right) / curve, 0.0)
    powers: Values = np.where(is_peak, np.square(magnitudes[:, 1:-1]), 0.0)
    strongest = np.argsort(-powers, axis=1, kind="stable")[:, :N_PEAKS]
    rows = np.arange(len(powers))[:, None]
    return places[rows, strongest], powers[rows, strongest]


def _found_again(before: Values, now: Values) -> npt.NDArray[np.bool_]:
    """Tell of each peak whether there was one at its frequency before."""
    apart = np.abs(before[:, None, :] - now[:, :, None]).min(axis=2)
    return np.asarray(apart < TOLERANCE * now, np.bool_)
