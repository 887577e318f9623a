"""The chosen span as it is kept: a breath of its own silence around it, at an even level."""

from __future__ import annotations

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.voices import activity

#: Kept before and after the speech, where the recording has it.
MARGIN_S = 0.1
FADE_S = 0.01
#: Mean level of the speech, dBFS, so that the recording's level does not change the voice …
LEVEL_DB = -23.0
#: … and the highest peak that this may lead to, of full scale.
MAX_PEAK = 0.89


def cut(clip: Clip, start: int, end: int) -> Clip:
    """Return the speech between two samples, levelled, faded at its ends."""
    margin = round(MARGIN_S * clip.sample_rate_hz)
    samples = clip.samples[max(0, start - margin) : end + margin].copy()
    gain = 10.0 ** ((LEVEL_DB - activity.level_db(Clip(samples, clip.sample_rate_hz))) / 20)
    peak = float(np.abs(samples).max())
    samples *= min(gain, MAX_PEAK / peak)
    fade = np.linspace(0.0, 1.0, round(FADE_S * clip.sample_rate_hz), dtype=np.float32)
    samples[: len(fade)] *= fade
    samples[-len(fade) :] *= fade[::-1]
    return Clip(samples, clip.sample_rate_hz)
