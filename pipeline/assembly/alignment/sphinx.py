"""English: phones + audio → when each unit of phones is spoken, by pocketsphinx."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pocketsphinx import Decoder

from pipeline.assembly.alignment.span import Span
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan

Phones = tuple[str, ...]

#: What the acoustic model was trained on.
SAMPLE_RATE_HZ = 16_000
#: One step of the acoustic model.
FRAME_S = 0.01
#: How far a boundary may lie from a pause and still be taken to it.
REACH_S = 0.12
#: Silence kept around the speech. With more of it, a weak last word may be taken for silence.
MARGIN_S = 0.05


def align(units: Sequence[Phones], clip: Clip, speech: SpeechSpan) -> list[Span] | None:
    """Return the time of each unit, or None when no path through the speech says them all.

    pocketsphinx' own beams are kept: wider ones find no path in noisy audio either, but follow
    half of the texts with a missing word that the narrow ones refuse.
    """
    margin = round(MARGIN_S * clip.sample_rate_hz)
    first = max(0, speech.start - margin)
    cut = Clip(clip.samples[first : speech.end + margin], clip.sample_rate_hz)
    found = _aligned(_decoder(), units, _pcm(cut))
    return found and [span.moved(first / clip.sample_rate_hz) for span in found]


def _decoder() -> Decoder:
    """Return a new decoder: what an old one has seen moves boundaries by a frame now and then.

    Without dictionary and language model (each unit brings its phones) it takes 10 ms to load.
    """
    return Decoder(loglevel="FATAL", samprate=SAMPLE_RATE_HZ, lm=None, dict=None, cmn="batch")


def _pcm(clip: Clip) -> bytes:
    samples = clip.resampled(SAMPLE_RATE_HZ).samples
    return np.asarray(np.clip(samples, -1.0, 1.0) * 32767.0, "<i2").tobytes()


def _aligned(decoder: Decoder, units: Sequence[Phones], pcm: bytes) -> list[Span] | None:
    decoder.set_align_text(" ".join(_learned(decoder, unit) for unit in units))
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return None
    found = [s for s in decoder.seg() if not s.word.startswith(("<", "("))]
    if len(found) != len(units):
        return None
    return [Span(s.start_frame * FRAME_S, (s.end_frame + 1) * FRAME_S) for s in found]


def _learned(decoder: Decoder, unit: Phones) -> str:
    """Return the dictionary's name of a unit, adding it when it is new."""
    name = "_".join(unit)
    if decoder.lookup_word(name) is None:
        decoder.add_word(name, " ".join(unit), update=False)
    return name
