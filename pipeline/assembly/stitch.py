"""Placements and takes → one stream of audio, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pipeline.assembly.placement import Placement, Placements
from pipeline.audio.clip import Clip, Samples

#: Fades at the edges of a take: they lie in the quiet kept around the speech.
FADE_IN_MS = 8
FADE_OUT_MS = 20
#: Longest block of silence, so that a long pause costs no memory.
MAX_SILENCE_SAMPLES = 1 << 16


def blocks(placements: Placements, load: Callable[[int], Clip]) -> Iterator[Samples]:
    """Yield the file as float32 mono blocks of any length; together `placements.n_samples`.

    Args:
        placements: The layout.
        load: Returns the audio of the take chosen for a chunk, by chunk index.

    Raises:
        ValueError: A take is not the one that was placed.
    """
    position = 0
    for placement in placements.chunks:
        yield from _silence(placement.offset - position)
        yield _cut(placement, load(placement.chunk), placements.sample_rate_hz)
        position = placement.end
    yield from _silence(placements.n_samples - position)


def _silence(n_samples: int) -> Iterator[Samples]:
    while n_samples > 0:
        length = min(n_samples, MAX_SILENCE_SAMPLES)
        yield np.zeros(length, np.float32)
        n_samples -= length


def _cut(placement: Placement, clip: Clip, sample_rate_hz: int) -> Samples:
    """Return the placed part of a take, faded in and out."""
    if clip.sample_rate_hz != sample_rate_hz or len(clip.samples) < placement.cut_end:
        raise ValueError(
            f"The audio of chunk {placement.chunk} is not what was placed: {len(clip.samples)} "
            f"samples at {clip.sample_rate_hz} Hz."
        )
    samples = clip.samples[placement.cut_start : placement.cut_end].copy()
    n_in = min(FADE_IN_MS * sample_rate_hz // 1000, len(samples) // 2)
    n_out = min(FADE_OUT_MS * sample_rate_hz // 1000, len(samples) // 2)
    samples[:n_in] *= _rise(n_in)
    samples[len(samples) - n_out :] *= _rise(n_out)[::-1]
    return samples


def _rise(n_samples: int) -> Samples:
    """Return a raised cosine from 0 towards 1, shape [n_samples]."""
    phase = (np.arange(n_samples) + 0.5) * (np.pi / max(n_samples, 1))
    return np.asarray(0.5 - 0.5 * np.cos(phase), np.float32)
