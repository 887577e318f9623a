"""Gentle compression of speech, and a cut of what lies below it; ffmpeg does the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from pipeline.assembly.levels import SILENCE_DB, decibels
from pipeline.audio import ffmpeg
from pipeline.audio.clip import Samples

#: Speech is brought to this level first, so that every voice meets the same threshold.
SPEECH_DB = -20.0
#: Below the lowest voice; cuts thumps and rumble.
HIGH_PASS_HZ = 65
#: Above this level the gain falls: half of what is above is left.
THRESHOLD_DB = -22.0
RATIO = 2.0
ATTACK_MS = 15
RELEASE_MS = 180
#: Softens the bend; ffmpeg wants a factor: 2.8 is 9 dB.
KNEE = 2.8
#: Frames that tell the level of speech, and how far below their mean a pause lies.
FRAME_S = 0.1
PAUSE_DB = 12.0
BLOCK_SAMPLES = 1 << 15


class SpeechLevelMeter:
    """The level of a stream without its pauses, block by block."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._frame = round(FRAME_S * sample_rate_hz)
        self._powers: list[npt.NDArray[np.float32]] = []
        self.n_samples = 0

    def add(self, samples: Samples) -> None:
        """Take the next block, shape [T], into account; frames do not cross blocks."""
        self.n_samples += len(samples)
        n_whole = len(samples) // self._frame * self._frame
        whole, rest = samples[:n_whole].reshape(-1, self._frame), samples[n_whole:]
        self._powers.append(np.mean(np.square(whole), axis=1))
        if len(rest):
            self._powers.append(np.mean(np.square(rest), keepdims=True))

    def gain_db(self) -> float:
        """Return the gain that brings the speech to `SPEECH_DB`; none where all is silent."""
        powers = np.concatenate([np.zeros(1, np.float32), *self._powers])
        heard = powers[powers > 10 ** (SILENCE_DB / 10)]
        if len(heard) == 0:
            return 0.0
        speech = heard[heard > heard.mean() * 10 ** (-PAUSE_DB / 10)]
        return SPEECH_DB - decibels(float(speech.mean()))


def compressed(blocks: Iterable[Samples], sample_rate_hz: int, gain_db: float) -> Iterator[Samples]:
    """Yield the stream, `gain_db` louder and compressed; as many samples as came in."""
    chain = (
        f"volume={gain_db:.4f}dB:precision=float,"
        f"highpass=f={HIGH_PASS_HZ},"
        f"acompressor=threshold={10 ** (THRESHOLD_DB / 20):.6f}:ratio={RATIO}"
        f":attack={ATTACK_MS}:release={RELEASE_MS}:knee={KNEE}:detection=rms"
    )
    audio = ("-f", "f32le", "-ar", str(sample_rate_hz), "-ac", "1")
    arguments = [*audio, "-i", "pipe:0", "-af", chain, *audio, "-flush_packets", "0", "pipe:1"]
    data = (np.ascontiguousarray(block, "<f4").tobytes() for block in blocks)
    for block in ffmpeg.stream(arguments, data=data, block_bytes=4 * BLOCK_SAMPLES):
        yield np.frombuffer(block, "<f4")
