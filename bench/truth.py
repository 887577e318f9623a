"""Speech whose word times are known: hibari's own durations, and espeak-ng's word events.

hibari's network decides how many 25 ms frames each phoneme lasts. The package does not tell, so a
copy of its model is given one output more. Where a voice pauses, the durations say little (the
pause hides in the phonemes around it), and the energy of the audio decides.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.voices import DEFAULT, voice_path

from pipeline.audio.clip import Clip

#: The tensor of the network that holds each phoneme's duration in frames.
DURATIONS = "/Clip_output_0"
FRAME_S = 0.025
#: A word begins with the space before it, this much earlier than the frames say. The onset of the
#: energy at first words says -25 ms; the steepest change of the energy above 4 kHz, where an s
#: meets a vowel across a space, about -35 ms, and inside words -45 to -60 ms.
OFFSET_S = -0.035
#: Characters between the spoken words of a phoneme string, and those where the voice may pause.
BREAK = ' ;:,.!?—…"“”()'
PAUSING = ";:,.!?—…"
#: The truth's own energy detector, finer than the pipeline's.
WINDOW_S, HOP_S, SPEECH_DB, MIN_PAUSE_S, REACH_S = 0.010, 0.001, -45.0, 0.060, 0.30


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text, its audio, and when each word is spoken, in seconds."""

    text: str
    clip: Clip
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]
    #: True where the start comes from durations alone: no pause beside it.
    is_inner: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A spoken word: one run of phonemes."""

    start_s: float
    end_s: float
    may_pause_before: bool


class Teller:
    """Speaks English and tells when."""

    def __init__(self) -> None:
        model = onnx.load(voice_path(DEFAULT))
        output = onnx.helper.make_tensor_value_info(DURATIONS, onnx.TensorProto.FLOAT, None)
        model.graph.output.append(output)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "durations.onnx"
            onnx.save(model, path)
            self._voice = Hibari(model=str(path), threads=1)

    def speak(self, marked: str, *, seed: int = 1, offset_s: float = OFFSET_S) -> Spoken:
        """Speak a line of a test set: `7:30<2>` is one written word spoken as two."""
        words, counts = unmarked(marked)
        samples, units = self._units(" ".join(words), seed)
        assert len(units) == sum(counts), f"{marked}: {len(units)} spoken words"
        clip = Clip(samples, SAMPLE_RATE)
        units = [_Unit(u.start_s + offset_s, u.end_s + offset_s, u.may_pause_before) for u in units]
        return _told(" ".join(words), counts, clip, units)

    def say(self, text: str, *, seed: int = 1) -> Clip:
        """Speak any text, without the times."""
        return Clip(self._units(text, seed)[0], SAMPLE_RATE)

    def _units(self, text: str, seed: int) -> tuple[npt.NDArray[np.float32], list[_Unit]]:
        rng = np.random.default_rng(seed)
        parts: list[npt.NDArray[np.float32]] = []
        units: list[_Unit] = []
        for phonemes in self._voice.phonemize(text):
            before_s = sum(map(len, parts)) / SAMPLE_RATE
            samples, durations = self._run(phonemes, rng)
            parts.append(samples)
            known = [c for c in phonemes if c in self._voice.vocab]
            units += _runs(known, before_s + np.cumsum(durations) * FRAME_S)
        return np.concatenate(parts), units

    def _run(
        self, phonemes: str, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the audio, as `Hibari.stream` makes it, and the frames of each id."""
        inputs = {
            "ids": np.asarray([self._voice.ids(phonemes)], np.int64),
            "speed": np.asarray([1.0], np.float32),
        }
        *spectra, durations = self._voice.sess.run(None, inputs)
        return dsp.synth(*(part[0] for part in spectra), rng), durations


def unmarked(line: str) -> tuple[list[str], list[int]]:
    """Return the written words of a line and how many spoken words each one is."""
    found = [re.fullmatch(r"(.+?)(?:<(\d+)>)?", word) for word in line.split()]
    return [m[1] for m in found if m], [int(m[2] or 1) for m in found if m]


def _runs(phonemes: Sequence[str], ends_s: npt.NDArray[np.float64]) -> list[_Unit]:
    """Return the runs between breaks, each with the space before it.

    `ends_s[i]` is where phoneme i starts: the first entry is the end of the pad.
    """
    units: list[_Unit] = []
    first: int | None = None
    may_pause = True
    for at, phoneme in enumerate([*phonemes, " "]):
        if phoneme not in BREAK:
            first = at if first is None else first
            continue
        if first is not None:
            lead = 1 if first and phonemes[first - 1] == " " else 0
            units.append(_Unit(float(ends_s[first - lead]), float(ends_s[at]), may_pause))
            first, may_pause = None, False
        may_pause = may_pause or phoneme in PAUSING
    return units


def _told(text: str, counts: Sequence[int], clip: Clip, units: Sequence[_Unit]) -> Spoken:
    pauses = _pauses(clip)
    starts = [unit.start_s for unit in units]
    ends = [unit.end_s for unit in units]
    inner = [True] * len(units)
    for at, unit in enumerate(units):
        pause = _pause_at(unit.start_s, pauses) if unit.may_pause_before else None
        if pause:
            starts[at], inner[at] = pause[1], False
            if at:
                ends[at - 1] = pause[0]
    ends[-1] = pauses[-1][0]
    firsts = np.cumsum([0, *counts[:-1]])
    lasts = np.cumsum(counts) - 1
    return Spoken(
        text,
        clip,
        tuple(starts[i] for i in firsts),
        tuple(ends[i] for i in lasts),
        tuple(inner[i] for i in firsts),
    )


def _pause_at(start_s: float, pauses: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the longest pause that ends near where a word starts."""
    near = [pause for pause in pauses if abs(pause[1] - start_s) < REACH_S]
    return max(near, key=lambda pause: pause[1] - pause[0], default=None)


def _pauses(clip: Clip) -> list[tuple[float, float]]:
    """Return the silences in seconds, the ones at both ends of the clip included."""
    rate = clip.sample_rate_hz
    window, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    power = np.convolve(np.square(clip.samples), np.ones(window) / window, "same")[::hop]
    quiet = 10 * np.log10(np.maximum(power, 1e-12)) < SPEECH_DB
    # A word's edge is where the audio crosses the level, half a window inside the quiet part.
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return [
        (start * HOP_S, end * HOP_S)
        for start, end in edges.reshape(-1, 2)
        if (end - start) * HOP_S >= MIN_PAUSE_S
    ]
