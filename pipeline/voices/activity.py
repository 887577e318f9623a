"""When somebody speaks in a recording, and how far the speech stands above the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.audio.clip import Clip
from pipeline.audio.energy import SILENCE_DB, SpeechSpan, frame_levels_db

#: Length of an energy frame; levels are smoothed over three of them.
FRAME_MS = 10
#: Where between noise and speech, in dB, a frame begins to count as speech …
SPEECH_ABOVE_NOISE = 0.35
#: … but never further below the loud frames than this.
SPEECH_RANGE_DB = 35.0
#: A shorter silence is the closure of a stop, not a pause.
MIN_PAUSE_MS = 150
#: A shorter run of energy is a click.
MIN_RUN_MS = 40
#: Share of the frames that are taken for the loudest, and for noise alone: speech without a pause
#: still has its closures, where the noise shows.
LOUDEST, NOISE = 0.1, 0.02


@dataclass(frozen=True, slots=True)
class Activity:
    """The speech of a recording."""

    #: Parted by pauses, in order, in samples.
    runs: tuple[SpeechSpan, ...]
    #: Level of the loudest frames, dBFS.
    loud_db: float
    #: Speech over noise.
    snr_db: float
    sample_rate_hz: int

    @property
    def speech_s(self) -> float:
        """How long somebody speaks, short closures included."""
        return sum(run.end - run.start for run in self.runs) / self.sample_rate_hz


def listen(clip: Clip) -> Activity:
    """Return the speech of a recording; its pauses tell the level of the noise."""
    frame = clip.sample_rate_hz * FRAME_MS // 1000
    power = _smooth(10.0 ** (frame_levels_db(clip.samples, frame) / 10.0))
    levels = 10.0 * np.log10(power)
    loud = _mean_db(np.sort(power)[-max(1, round(LOUDEST * len(power))) :])
    quiet = _noise_db(levels, loud)
    threshold = max(quiet + SPEECH_ABOVE_NOISE * (loud - quiet), loud - SPEECH_RANGE_DB)
    active = levels > threshold
    runs = tuple(SpeechSpan(a * frame, min(len(clip.samples), b * frame)) for a, b in _runs(active))
    return Activity(runs, loud, _snr_db(power, active, quiet), clip.sample_rate_hz)


def level_db(clip: Clip) -> float:
    """Return the mean level of the speech in a clip, dBFS."""
    activity = listen(clip)
    parts = [clip.samples[run.start : run.end] for run in activity.runs] or [clip.samples]
    return _mean_db(np.square(np.concatenate(parts), dtype=np.float64))


Powers = npt.NDArray[np.floating]


def _smooth(power: Powers) -> Powers:
    return np.convolve(np.pad(power, 1, mode="edge"), np.ones(3) / 3, "valid")


def _mean_db(power: Powers) -> float:
    return float(10.0 * np.log10(max(float(power.mean()), 10.0 ** (SILENCE_DB / 10))))


def _noise_db(levels: Powers, loud: float) -> float:
    """Return the level of the noise inside the speech: the silence around it may be made up."""
    heard = np.flatnonzero(levels > loud - SPEECH_RANGE_DB)
    return float(np.percentile(levels[heard[0] : heard[-1] + 1], 100 * NOISE))


def _snr_db(power: Powers, active: npt.NDArray[np.bool_], noise_db: float) -> float:
    """Return the ratio of speech to noise."""
    if not active.any():
        return 0.0
    noise = 10.0 ** (noise_db / 10.0)
    speech = float(power[active].mean()) - noise
    return float(10.0 * np.log10(max(speech, 1e-3 * noise) / noise))


def _runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of active frames, clicks left out and closures filled."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    merged: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if (end - start) * FRAME_MS < MIN_RUN_MS:
            continue
        if merged and (start - merged[-1][1]) * FRAME_MS < MIN_PAUSE_MS:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
