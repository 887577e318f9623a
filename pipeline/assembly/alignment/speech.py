"""Where in a clip there is speech, as runs between pauses."""

from __future__ import annotations

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.audio.energy import FRAME_MS, SpeechSpan, frame_levels_db, speech_threshold_db

#: A shorter silence is the closure of a stop, not a pause.
MIN_PAUSE_MS = 80
#: A shorter run of energy amid a pause is a click, not speech.
MIN_RUN_MS = 15
#: No frame below this level counts as speech, however quiet the clip (dBFS).
NOISE_FLOOR_DB = -70.0


def speech_runs(clip: Clip) -> list[SpeechSpan]:
    """Return the runs of speech in order, parted by at least `MIN_PAUSE_MS` of silence.

    Together they begin and end with `audio.energy.speech_span`.
    """
    frame = clip.sample_rate_hz * FRAME_MS // 1000
    levels = frame_levels_db(clip.samples, frame)
    active = levels > max(speech_threshold_db(levels), NOISE_FLOOR_DB)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    spans = edges.reshape(-1, 2).tolist()
    merged: list[tuple[int, int]] = []
    for index, (start, end) in enumerate(spans):
        is_outermost = index in (0, len(spans) - 1)
        if (end - start) * FRAME_MS < MIN_RUN_MS and not is_outermost:
            continue
        if merged and (start - merged[-1][1]) * FRAME_MS < MIN_PAUSE_MS:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    last = len(clip.samples)
    return [SpeechSpan(start * frame, min(last, end * frame)) for start, end in merged]
