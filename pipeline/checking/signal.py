"""Checks that need no model: levels, clipping, dead air."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.audio.clip import Clip, Samples
from pipeline.audio.energy import frame_levels_db
from pipeline.manifest.marks import Defect

#: Below this a take is silent (loudest frames, dBFS).
SILENT_DB = -50.0
#: Speech has gaps; when even the quietest tenth is louder than this under the loud parts, the
#: take is noisy.
NOISE_RANGE_DB = 26.0
#: Samples at full scale, as a share of all; a normal peak touches it a few times at most.
CLIPPED_AT = 0.998
MAX_CLIPPED = 1e-3
#: Pauses inside a take, as the voices make them, are far shorter than this.
MAX_DEAD_AIR_S = 2.0
FRAME_S = 0.02
#: A take that is so many times as long as its text, and so much longer, does not read the text.
MAX_STRETCH, SPARE_S = 8.0, 5.0
#: Raised when `refusal` may judge the same take otherwise.
VERSION = 1


def refusal(clip: Clip, expected_s: float) -> Defect | None:
    """Return why a take can be no reading of its text at all, whatever else is looked at.

    Args:
        clip: The take.
        expected_s: About how long its text takes.
    """
    if _is_silent(_levels(clip)):
        return Defect(kind="silence", detail="nothing is heard")
    if clip.duration_s > MAX_STRETCH * expected_s + SPARE_S:
        detail = f"{clip.duration_s:.0f} s of audio for a text of about {expected_s:.1f} s"
        return Defect(kind="endless", detail=detail)
    return None


def signal_defects(clip: Clip) -> list[Defect]:
    """Return what is wrong with a take whatever its text is."""
    if not np.isfinite(clip.samples).all():
        return [Defect(kind="noise", detail="the audio holds values that are not numbers")]
    levels = _levels(clip)
    if _is_silent(levels):
        return [Defect(kind="silence", detail="nothing is heard")]
    return [*_noise(levels), *_clipping(clip.samples), *_dead_air(levels)]


def _levels(clip: Clip) -> Samples:
    return frame_levels_db(clip.samples, int(FRAME_S * clip.sample_rate_hz))


def _is_silent(levels: Samples) -> bool:
    return len(levels) == 0 or bool(np.percentile(levels, 95) < SILENT_DB)


def _noise(levels: Samples) -> Iterator[Defect]:
    loud, quiet = np.percentile(levels, [95, 5])
    if loud - quiet < NOISE_RANGE_DB:
        below = f"{loud - quiet:.0f} dB below the speech"
        yield Defect(kind="noise", detail=f"noise at {quiet:.0f} dBFS, only {below}")


def _clipping(samples: Samples) -> Iterator[Defect]:
    share = float(np.mean(np.abs(samples) >= CLIPPED_AT))
    if share > MAX_CLIPPED:
        yield Defect(kind="clipping", detail=f"{share:.1%} of the samples are at full scale")


def _dead_air(levels: Samples) -> Iterator[Defect]:
    active = np.flatnonzero(levels > SILENT_DB)
    longest = float(np.max(np.diff(active), initial=0)) * FRAME_S
    if longest > MAX_DEAD_AIR_S:
        yield Defect(kind="silence", detail=f"{longest:.1f} s of silence inside the take")
