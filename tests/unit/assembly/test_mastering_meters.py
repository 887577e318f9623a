"""Meters against signals whose figures are known, and against ffmpeg's own meter."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assembly import true_peak
from pipeline.assembly.levels import LevelMeter, decibels
from pipeline.assembly.loudness import LoudnessMeter, integrated_lufs
from pipeline.assembly.true_peak import TruePeakMeter
from pipeline.audio import ffmpeg
from pipeline.audio.clip import Samples


def sine(hz: float, rate_hz: int, seconds: float, db: float = 0.0, phase: float = 0.0) -> Samples:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10 ** (db / 20) * np.sin(2 * np.pi * hz * t + phase)).astype(np.float32)


def loudness(samples: Samples, rate_hz: int, block: int = 10_007, channels: int = 1) -> float:
    meter = LoudnessMeter(rate_hz)
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block])
    return integrated_lufs([meter.powers()] * channels)


def true_peak_db(samples: Samples, block: int = 10_007) -> float:
    meter = TruePeakMeter()
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block])
    return decibels(meter.peak() ** 2)


def babble(rate_hz: int, seconds: float) -> Samples:
    """Return noise that comes and goes as speech does."""
    rng = np.random.default_rng(1)
    n_samples = round(rate_hz * seconds)
    envelope = np.repeat(rng.choice([0.0, 0.03, 0.3], n_samples // 2000 + 1), 2000)[:n_samples]
    noise = np.convolve(rng.standard_normal(n_samples), np.hanning(9), "same")
    return (0.2 * envelope * noise).astype(np.float32)


def ffmpeg_lufs(samples: npt.NDArray[np.float32], rate_hz: int) -> float:
    chain = "ebur128=metadata=1,ametadata=print:key=lavfi.r128.I"
    arguments = ["-f", "f32le", "-ar", str(rate_hz), "-ac", "1", "-i", "pipe:0"]
    done = subprocess.run(
        ffmpeg.command(*arguments, "-af", chain, "-f", "null", "-"),
        input=samples.tobytes(),
        capture_output=True,
        check=True,
    )
    return float(re.findall(r"r128\.I=(-?[\d.]+)", done.stderr.decode())[-1])


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 32_000, 44_100, 48_000])
def test_the_tone_of_the_standard_measures_the_same_at_every_rate(rate_hz: int) -> None:
    assert loudness(sine(997, rate_hz, 5), rate_hz) == pytest.approx(-3.01, abs=0.01)


def test_two_equal_channels_are_three_lu_louder_than_one() -> None:
    tone = sine(997, 48_000, 5, db=-20)
    assert loudness(tone, 48_000, channels=2) == pytest.approx(-20.0, abs=0.01)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_loudness_agrees_with_ffmpeg(rate_hz: int) -> None:
    samples = babble(rate_hz, 12)
    assert loudness(samples, rate_hz) == pytest.approx(ffmpeg_lufs(samples, rate_hz), abs=0.05)


def test_pauses_do_not_count() -> None:
    tone, pause = sine(997, 48_000, 10, db=-23), np.zeros(20 * 48_000, np.float32)
    with_pause = loudness(np.concatenate([tone, pause]), 48_000)
    assert with_pause == pytest.approx(loudness(tone, 48_000), abs=0.1)


@settings(max_examples=12, deadline=None)
@given(block=st.integers(1_000, 80_000))
def test_the_size_of_the_blocks_does_not_matter(block: int) -> None:
    samples = babble(24_000, 3)
    assert loudness(samples, 24_000, block) == pytest.approx(loudness(samples, 24_000), abs=1e-4)
    assert true_peak_db(samples, block) == pytest.approx(true_peak_db(samples), abs=1e-4)


def test_silence_and_less_than_a_window_measure_as_silence() -> None:
    assert loudness(np.zeros(48_000, np.float32), 48_000) == -70.0
    assert loudness(np.zeros(0, np.float32), 48_000) == -70.0


def test_a_peak_between_the_samples_is_seen() -> None:
    # Every sample of this tone lies at 71 % of its height.
    tone = sine(12_000, 48_000, 0.5, db=-6, phase=np.pi / 4)
    tone *= np.hanning(len(tone)).astype(np.float32)
    assert decibels(float(np.abs(tone).max()) ** 2) == pytest.approx(-9.01, abs=0.01)
    assert true_peak_db(tone) == pytest.approx(-6.0, abs=0.1)


def test_frames_that_are_skipped_could_not_have_mattered() -> None:
    samples = babble(24_000, 3)
    full = true_peak.peaks(samples, 0.0)
    above = float(full.max()) * 0.7
    quick = true_peak.peaks(samples, above)
    assert np.array_equal(quick[full > above], full[full > above])


def test_levels_of_a_known_file() -> None:
    rate_hz = 44_100
    quiet = sine(300, rate_hz, 0.75, db=-70)
    loud = sine(300, rate_hz, 3.0, db=-10)
    samples = np.concatenate([quiet, loud, sine(300, rate_hz, 2.0, db=-66)])[:, None]
    meter = LevelMeter(rate_hz)
    for start in range(0, len(samples), 5_003):
        meter.add(samples[start : start + 5_003])
    assert meter.duration_s == pytest.approx(5.75)
    assert meter.peak_db == pytest.approx(-10.0, abs=0.01)
    assert meter.rms_db == pytest.approx(-13.01 + 10 * np.log10(3 / 5.75), abs=0.01)
    assert meter.noise_floor_db == pytest.approx(-73.01, abs=0.05)
    assert meter.head_s == pytest.approx(0.75, abs=0.011)
    assert meter.tail_s == pytest.approx(2.0, abs=0.011)


def test_a_silent_file_is_quiet_from_end_to_end() -> None:
    meter = LevelMeter(8000)
    meter.add(np.zeros((4000, 1), np.float32))
    assert (meter.head_s, meter.tail_s, meter.noise_floor_db) == (0.5, 0.5, -120.0)
