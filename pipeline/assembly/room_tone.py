"""Very quiet noise under a whole file, so that pauses are a room and not a hole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.audio.clip import Samples

#: The tone repeats after this long, seamlessly; far too long to be heard as a rhythm.
PERIOD_S = 20
#: Nothing below this, where rooms rumble; above it the power falls with the frequency.
LOWEST_HZ = 60.0


def add(
    blocks: Iterable[Samples], level_db: float, sample_rate_hz: int, seed: int = 0
) -> Iterator[Samples]:
    """Yield the stream with room tone of the given RMS level (dBFS) under it."""
    tone = make(level_db, sample_rate_hz, seed)
    position = 0
    for block in blocks:
        yield block + np.take(tone, np.arange(position, position + len(block)), mode="wrap")
        position = (position + len(block)) % len(tone)


def make(level_db: float, sample_rate_hz: int, seed: int = 0) -> Samples:
    """Return one period of room tone: the same seed always gives the same samples."""
    n_samples = PERIOD_S * sample_rate_hz
    frequencies = np.fft.rfftfreq(n_samples, 1 / sample_rate_hz)
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(frequencies))
    amplitude = np.zeros(len(frequencies))
    audible = frequencies >= LOWEST_HZ
    amplitude[audible] = 1 / np.sqrt(frequencies[audible])
    tone = np.fft.irfft(amplitude * np.exp(1j * phases), n_samples)
    tone *= 10 ** (level_db / 20) / np.sqrt(np.mean(np.square(tone)))
    return tone.astype(np.float32)
