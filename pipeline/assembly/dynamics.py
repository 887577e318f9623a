"""Gentle compression of speech, and a cut of what lies below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from pipeline.assembly import blocks as blocks_of
from pipeline.assembly.filtering import Filter
from pipeline.assembly.loudness import FramePowers, Powers
from pipeline.audio.clip import Samples

#: Speech is brought to this level first, so that every voice meets the same threshold.
SPEECH_DB = -20.0
#: Below the lowest voice; cuts thumps and rumble.
HIGH_PASS_HZ = 40.0
#: Above this level the gain falls: two thirds of what is above are left. DNSMOS hears stronger
#: compression as a loss of quality.
THRESHOLD_DB = -18.0
RATIO = 1.5
#: The bend at the threshold is spread over this range.
KNEE_DB = 9.0
#: Time constants with which the level follows a rise and a fall.
ATTACK_S = 0.004
RELEASE_S = 0.045
#: The level is looked at this often; the gain moves in straight lines between.
FRAMES_PER_SECOND = 100
BLOCK_FRAMES = 256


class Compressor:
    """The gain of compressed speech, frame by frame."""

    def __init__(self, gain_db: float) -> None:
        """`gain_db` is applied before; see `SPEECH_DB`."""
        self._gain_db = gain_db
        self._power = 0.0
        self._last = np.float32(10 ** (gain_db / 20))

    def gains(self, powers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the gain (a factor) at the edges of the next frames, shape [frames + 1].

        Args:
            powers: Mean squares of the frames before any gain, shape [frames].
        """
        level_db = 10 * np.log10(np.maximum(self._followed(powers), 1e-12)) + self._gain_db
        bend = np.clip(level_db - THRESHOLD_DB + KNEE_DB / 2, 0, KNEE_DB)
        above = np.maximum(level_db - THRESHOLD_DB - KNEE_DB / 2, 0)
        excess_db = np.square(bend) / (2 * KNEE_DB) + above
        factors = 10 ** ((self._gain_db - excess_db * (1 - 1 / RATIO)) / 20)
        edges = np.concatenate([[self._last], factors]).astype(np.float32)
        self._last = edges[-1]
        return edges

    def _followed(self, powers: npt.NDArray[np.float32]) -> Powers:
        """Return the powers as they are felt: quick to rise, slow to fall."""
        felt, power = [], self._power
        for now in powers.tolist():
            power += (ATTACK if now > power else RELEASE) * (now - power)
            felt.append(power)
        self._power = power
        return np.array(felt)


#: Shares of a step that are made in one frame.
ATTACK = 1 - float(np.exp(-1 / (ATTACK_S * FRAMES_PER_SECOND)))
RELEASE = 1 - float(np.exp(-1 / (RELEASE_S * FRAMES_PER_SECOND)))


def high_pass(frequencies_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the gain of the cut below speech at each frequency, shape [K]."""
    ratio = np.square(frequencies_hz / HIGH_PASS_HZ)
    return np.asarray(ratio / np.sqrt(1 + np.square(ratio)))


def compressed(
    blocks: Iterable[Samples], sample_rate_hz: int, gain_db: float, after_db: float = 0.0
) -> Iterator[Samples]:
    """Yield the stream, `gain_db` louder, compressed, then `after_db` louder; no sample moves."""
    frame = sample_rate_hz // FRAMES_PER_SECOND
    compressor, cut = Compressor(gain_db), Filter(sample_rate_hz, high_pass)
    factor = np.float32(10 ** (after_db / 20))
    waiting = np.zeros(0, np.float32)  # gains of samples that the filter still holds
    for block in blocks_of.of_size(blocks, BLOCK_FRAMES * frame):
        curve = factor * _curve(block, frame, compressor)
        made, waiting = cut.feed(block), np.concatenate([waiting, curve])
        yield made * waiting[: len(made)]
        waiting = waiting[len(made) :]
    yield cut.end() * waiting


def _curve(block: Samples, frame: int, compressor: Compressor) -> Samples:
    """Return the gain of every sample of a block, shape [T]."""
    n_frames = -(-len(block) // frame)
    whole = np.zeros(n_frames * frame, np.float32)
    whole[: len(block)] = block
    meter = FramePowers(frame)
    meter.add(whole)
    edges = compressor.gains(meter.powers())
    ramp = np.arange(1, frame + 1, dtype=np.float32) / np.float32(frame)
    curve = edges[:-1, None] + np.diff(edges)[:, None] * ramp
    return np.asarray(curve.reshape(-1)[: len(block)], np.float32)
