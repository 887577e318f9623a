"""The limiter, the room tone, the compressor and its filter, each alone."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assembly import blocks, room_tone, true_peak
from pipeline.assembly.dynamics import HIGH_PASS_HZ, SPEECH_DB, compressed
from pipeline.assembly.filtering import Filter
from pipeline.assembly.levels import decibels
from pipeline.assembly.limiter import limit
from pipeline.assembly.listening import Heard, listen
from pipeline.assembly.loudness import LoudnessMeter, integrated_lufs
from pipeline.assembly.profiles import Level
from pipeline.audio.clip import Samples

RATE = 44_100
LUFS = Level("lufs", -18.0, 0.5)
RMS = Level("rms", -20.0, 1.0)


def cut(samples: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def bursts(n_samples: int, seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    samples = 0.1 * rng.standard_normal(n_samples)
    for at in rng.integers(0, n_samples, 20):
        samples[at : at + 40] *= rng.uniform(2, 12)
    return np.clip(samples, -4, 4).astype(np.float32)


def rms_db(samples: Samples) -> float:
    return decibels(float(np.mean(np.square(samples, dtype=np.float64))))


@settings(max_examples=25, deadline=None)
@given(
    n_samples=st.integers(1, 200_000),
    size=st.integers(50, 90_000),
    ceiling_db=st.floats(-12, -1),
    seed=st.integers(0, 99),
)
def test_the_limiter_holds_the_ceiling_and_keeps_every_sample_in_its_place(
    n_samples: int, size: int, ceiling_db: float, seed: int
) -> None:
    samples = bursts(n_samples, seed)
    limited = np.concatenate(list(limit(cut(samples, size), ceiling_db, RATE)))
    assert len(limited) == n_samples
    highest = float(true_peak.peaks(limited, 0.0).max())
    assert 20 * np.log10(max(highest, 1e-9)) <= ceiling_db + 0.05
    # It only ever turns down, and never turns a sample round.
    assert np.all(np.abs(limited) <= np.abs(samples) + 1e-6)
    assert np.all(limited * samples >= 0)


@given(sizes=st.tuples(st.integers(200, 90_000), st.integers(200, 90_000)))
@settings(max_examples=10, deadline=None)
def test_the_limiter_does_not_care_how_the_stream_is_cut(sizes: tuple[int, int]) -> None:
    samples = bursts(150_000, 5)
    one, other = (np.concatenate(list(limit(cut(samples, n), -6.0, RATE))) for n in sizes)
    assert np.array_equal(one, other)


def test_the_limiter_leaves_alone_what_is_below_the_ceiling() -> None:
    samples = 0.2 * np.sin(np.arange(100_000) / 20).astype(np.float32)
    limited = np.concatenate(list(limit(cut(samples, 7000), -3.0, RATE)))
    assert np.array_equal(limited, samples)


def test_the_limiter_touches_only_the_neighbourhood_of_a_peak() -> None:
    samples = 0.2 * np.sin(np.arange(100_000) / 20).astype(np.float32)
    samples[50_000] = 0.99
    changed = np.flatnonzero(np.concatenate(list(limit(iter([samples]), -6.0, RATE))) != samples)
    reach = 0.025 * RATE
    assert 50_000 - reach < changed.min() < 50_000 < changed.max() < 50_000 + reach


def test_an_empty_stream_stays_empty() -> None:
    assert sum(len(block) for block in limit(iter([]), -3.0, RATE)) == 0


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(1, 700))
def test_blocks_are_cut_anew_without_losing_a_sample(lengths: list[int], size: int) -> None:
    total = np.arange(sum(lengths), dtype=np.float32)
    parts = np.split(total, np.cumsum(lengths)[:-1]) if lengths else []
    made = list(blocks.of_size(parts, size))
    assert all(len(block) == size for block in made[:-1])
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *made]), total)


def test_room_tone_has_its_level_everywhere_and_is_always_the_same() -> None:
    silence = [np.zeros(n, np.float32) for n in (1000, 700_000, 400_000)]
    tone = np.concatenate(list(room_tone.add(silence, -72.0, RATE)))
    again = np.concatenate(list(room_tone.add(silence[::-1], -72.0, RATE)))
    assert np.array_equal(tone, again)
    halves = tone[: len(tone) // (RATE // 2) * (RATE // 2)].reshape(-1, RATE // 2)
    assert all(abs(rms_db(half) + 72) < 1.5 for half in halves)
    # Seamless where it begins anew.
    seam = room_tone.PERIOD_S * RATE
    around = np.abs(np.diff(tone[seam - 3 : seam + 3])).max()
    assert around <= np.abs(np.diff(tone[:seam])).max()


def test_voices_of_every_level_reach_the_compressor_at_the_same_level() -> None:
    speech = bursts(RATE * 3, 1)
    speech[RATE : 2 * RATE] = 0.0
    for gain in (0.02, 0.3, 1.0):
        heard = listen(cut(gain * speech, 20_000), RATE, LUFS)
        spoken = np.concatenate([speech[:RATE], speech[2 * RATE :]])
        assert rms_db(gain * spoken) + heard.gain_db() == pytest.approx(SPEECH_DB, abs=0.5)


def test_a_silent_stream_gets_no_gain() -> None:
    assert listen([np.zeros(RATE, np.float32)], RATE, LUFS).gain_db() == 0.0


@pytest.mark.parametrize("level", [LUFS, RMS])
def test_the_level_of_hours_is_told_in_the_memory_of_minutes(level: Level) -> None:
    powers = np.random.default_rng(0).uniform(0, 0.1, 400_000).astype(np.float32)
    heard = Heard(n_samples=len(powers) * RATE // 100, powers=powers, weighted=powers)
    tracemalloc.start()
    heard.compressed_db(level, channels=1)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 10 * powers.nbytes


@pytest.mark.parametrize("rate_hz", [22_050, 24_000, 44_100])
def test_what_is_heard_tells_the_level_after_compression(rate_hz: int) -> None:
    samples = bursts(8 * rate_hz, 3)
    samples[rate_hz * 3 : rate_hz * 4] *= 0.05
    heard = listen(cut(samples, 30_011), rate_hz, LUFS)
    made = np.concatenate(list(compressed(cut(samples, 9_973), rate_hz, heard.gain_db())))
    meter = LoudnessMeter(rate_hz)
    meter.add(made)
    lufs = integrated_lufs([meter.powers()] * 2)
    # Bursts far shorter than a frame, as no speech has them; the master itself is measured too.
    assert heard.compressed_db(LUFS, channels=2) == pytest.approx(lufs, abs=0.1)
    rms = listen(cut(samples, 30_011), rate_hz, RMS).compressed_db(RMS, channels=1)
    assert rms == pytest.approx(rms_db(made), abs=0.1)


@pytest.mark.parametrize(
    ("hz", "expected_db"), [(20.0, -12.3), (HIGH_PASS_HZ, -3.0), (130.0, 0.0), (1000.0, 0.0)]
)
def test_rumble_is_cut_and_speech_is_not(hz: float, expected_db: float) -> None:
    tone = 0.01 * np.sin(2 * np.pi * hz * np.arange(3 * RATE) / RATE).astype(np.float32)
    made = np.concatenate(list(compressed([tone], RATE, 0.0)))
    inside = slice(RATE, 2 * RATE)
    assert rms_db(made[inside]) - rms_db(tone[inside]) == pytest.approx(expected_db, abs=0.2)


@settings(max_examples=15, deadline=None)
@given(n_samples=st.integers(0, 60_000), size=st.integers(1, 40_000))
def test_filtering_moves_nothing_however_the_stream_is_cut(n_samples: int, size: int) -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, n_samples).astype(np.float32)
    identity = Filter(RATE, np.ones_like)
    made = [identity.feed(block) for block in cut(samples, size)]
    assert np.allclose(np.concatenate([*made, identity.end()]), samples, atol=1e-5)


def test_compression_brings_loud_and_soft_together_and_moves_nothing() -> None:
    t = np.arange(2 * RATE) / RATE
    loud, soft = (10 ** (db / 20) * np.sin(2 * np.pi * 400 * t) for db in (-6.0, -30.0))
    samples = np.concatenate([soft, loud]).astype(np.float32)
    made = np.concatenate(list(compressed(cut(samples, 9973), RATE, 0.0)))
    assert len(made) == len(samples)
    gain = [rms_db(made[i : i + RATE]) - rms_db(samples[i : i + RATE]) for i in (RATE, 3 * RATE)]
    assert gain[0] == pytest.approx(0.0, abs=0.3)
    assert -5 < gain[1] < -2
