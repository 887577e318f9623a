"""English: phones + audio → when each unit of phones is spoken, by pocketsphinx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pocketsphinx import Decoder

from pipeline.audio.clip import Clip

Phones = tuple[str, ...]

#: What the acoustic model was trained on.
SAMPLE_RATE_HZ = 16_000
#: One step of the acoustic model.
FRAME_S = 0.01
#: How long before a sound pocketsphinx says it starts. Measured by `bench/alignment.py` on the
#: engine's own durations, calibration half.
BIAS_S = 0.025
#: Search widths: what it takes to follow speech that fits its text badly (noise, odd names).
NARROW = {"beam": 1e-48, "wbeam": 7e-29, "pbeam": 1e-48}
WIDE = {"beam": 1e-120, "wbeam": 1e-100, "pbeam": 1e-120}


@dataclass(frozen=True, slots=True)
class UnitTime:
    """When one unit is spoken, in seconds from the start of the clip."""

    start_s: float
    end_s: float


class Sphinx:
    """The acoustic model, loaded once; its dictionary grows with what is spoken."""

    def align(self, units: Sequence[Phones], clip: Clip) -> list[UnitTime] | None:
        """Return the time of each unit, or None when no path through the audio speaks them all."""
        pcm = _pcm(clip)
        return _align(self._narrow, units, pcm) or _align(self._wide, units, pcm)

    @cached_property
    def _narrow(self) -> Decoder:
        return _decoder(NARROW)

    @cached_property
    def _wide(self) -> Decoder:
        return _decoder(WIDE)


def _decoder(beams: dict[str, float]) -> Decoder:
    # No dictionary and no language model: each unit brings its phones. Batch normalisation of
    # the features keeps one chunk from changing the timing of the next.
    return Decoder(
        loglevel="FATAL", samprate=SAMPLE_RATE_HZ, lm=None, dict=None, cmn="batch", **beams
    )


def _pcm(clip: Clip) -> bytes:
    samples = clip.resampled(SAMPLE_RATE_HZ).samples
    return np.asarray(np.clip(samples, -1.0, 1.0) * 32767.0, "<i2").tobytes()


def _align(decoder: Decoder, units: Sequence[Phones], pcm: bytes) -> list[UnitTime] | None:
    decoder.set_align_text(" ".join(_learned(decoder, unit) for unit in units))
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return None
    found = [s for s in decoder.seg() if not s.word.startswith(("<", "("))]
    if len(found) != len(units):
        return None
    return [UnitTime(s.start_frame * FRAME_S, (s.end_frame + 1) * FRAME_S) for s in found]


def _learned(decoder: Decoder, unit: Phones) -> str:
    """Return the dictionary's name of a unit, adding it when it is new."""
    name = "_".join(unit)
    if decoder.lookup_word(name) is None:
        decoder.add_word(name, " ".join(unit), update=False)
    return name
