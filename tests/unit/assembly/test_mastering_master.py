"""Masters of made-up speech, measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.assembly.mastering import master
from pipeline.assembly.measure import measure
from pipeline.assembly.profiles import PROFILES, check
from pipeline.audio.clip import Samples
from pipeline.errors import PermanentError, StorageError

RATE = 24_000


def speech(seconds: float = 6.0, db: float = -20.0, seed: int = 0) -> Samples:
    """Return a buzzing voice in words of a third of a second, with pauses, odd in length."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * RATE) + 137
    t = np.arange(n_samples) / RATE
    pitch = 120 + 15 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase + k * k) / k for k in range(1, 30))
    words = np.repeat(rng.uniform(0.3, 1.0, n_samples // 4000 + 1), 4000)[:n_samples]
    words *= np.sin(np.pi * (np.arange(n_samples) % 8000) / 8000) ** 2
    made = np.asarray(voice, np.float64) * words + 1e-4 * rng.standard_normal(n_samples)
    made *= 10 ** (db / 20) / np.sqrt(np.mean(np.square(made)))
    return np.asarray(np.clip(made, -1, 1), np.float32)


def framed(samples: Samples, head_s: float = 0.75, tail_s: float = 2.0) -> Samples:
    head, tail = (np.zeros(round(s * RATE), np.float32) for s in (head_s, tail_s))
    return np.concatenate([head, samples, tail])


def factory(samples: Samples, size: int = 30_011) -> Callable[[], Iterator[Samples]]:
    def blocks() -> Iterator[Samples]:
        for start in range(0, len(samples), size):
            yield samples[start : start + size]

    return blocks


def delay(made: Samples, original: Samples) -> int:
    """Return by how many samples the first lags behind the second."""
    size = 1 << (len(made) + len(original)).bit_length()
    spectrum = np.fft.rfft(made, size) * np.conj(np.fft.rfft(original, size))
    at = int(np.argmax(np.fft.irfft(spectrum, size)))
    return at if at < size // 2 else at - size


@pytest.mark.parametrize("name", PROFILES)
def test_a_master_meets_its_profile_and_is_exactly_as_long_as_it_must_be(
    name: str, tmp_path: Path
) -> None:
    profile, samples = PROFILES[name], framed(speech())
    made = master(factory(samples), RATE, profile, tmp_path / "m.flac")
    rate_hz = profile.sample_rate_hz or RATE
    info = soundfile.info(made.path)
    assert info.frames == made.n_samples == round(len(samples) * rate_hz / RATE)
    assert (info.samplerate, info.channels) == (rate_hz, profile.channels)
    assert info.subtype == "PCM_24"
    found = measure(made.path)
    assert check(found, profile, "flac") == ()
    if profile.level:
        assert found.true_peak_db <= profile.master_ceiling_db + 0.05
        aim = profile.level.target_db
        level = found.rms_db if profile.level.kind == "rms" else found.integrated_lufs
        assert level == pytest.approx(aim, abs=0.2)
        assert made.level_db == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("name", PROFILES)
def test_a_master_is_not_shifted(name: str, tmp_path: Path) -> None:
    samples = framed(speech())
    made = master(factory(samples), RATE, PROFILES[name], tmp_path / "m.flac")
    mastered, rate_hz = soundfile.read(made.path, dtype="float32", always_2d=True)
    at = np.arange(len(mastered)) / rate_hz
    original = np.interp(at, np.arange(len(samples)) / RATE, samples).astype(np.float32)
    assert delay(mastered[:, 0], original) == 0


def test_raw_keeps_every_sample_as_it_is(tmp_path: Path) -> None:
    samples = np.round(framed(speech()) * 32_767).astype(np.float32) / 32_768
    made = master(factory(samples), RATE, PROFILES["raw"], tmp_path / "m.flac")
    read, _ = soundfile.read(made.path, dtype="float32")
    assert np.array_equal(read, samples)
    assert made.level_db is None


def test_loudness_that_limiting_takes_away_is_given_back(tmp_path: Path) -> None:
    # Spikes far above the speech: the limiter must work, and the level must still be right.
    samples = framed(speech(db=-30.0))
    samples[20_000:-50_000:7200] = 0.9
    profile = replace(PROFILES["podcast"], master_ceiling_db=-7.5)
    made = master(factory(samples), RATE, profile, tmp_path / "m.flac")
    assert made.n_passes > 2
    found = measure(made.path)
    assert found.integrated_lufs == pytest.approx(-16.0, abs=0.15)
    assert found.true_peak_db <= -7.45


@pytest.mark.parametrize("db", [-45.0, -12.0])
def test_quiet_and_loud_voices_come_out_alike(db: float, tmp_path: Path) -> None:
    samples = framed(speech(db=db))
    made = master(factory(samples), RATE, PROFILES["acx"], tmp_path / "m.flac")
    assert check(measure(made.path), PROFILES["acx"], "flac") == ()


def test_the_same_stream_gives_the_same_bytes_however_it_is_cut(tmp_path: Path) -> None:
    samples = framed(speech(3.0))
    digests = set()
    for number, size in enumerate((30_011, 30_011, 4_999)):
        path = tmp_path / f"{number}.flac"
        master(factory(samples, size), RATE, PROFILES["acx"], path)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_room_tone_fills_the_pauses_of_acx_but_stays_below_the_floor(tmp_path: Path) -> None:
    made = master(factory(framed(speech())), RATE, PROFILES["acx"], tmp_path / "m.flac")
    found = measure(made.path)
    assert -80 < found.noise_floor_db <= -60
    samples, _ = soundfile.read(made.path)
    assert np.count_nonzero(samples[:20_000]) > 19_000


def test_both_channels_of_a_stereo_master_are_the_same(tmp_path: Path) -> None:
    made = master(factory(framed(speech(2.0))), RATE, PROFILES["podcast"], tmp_path / "m.flac")
    samples, _ = soundfile.read(made.path)
    assert samples.shape[1] == 2
    assert np.array_equal(samples[:, 0], samples[:, 1])


@pytest.mark.parametrize("name", PROFILES)
def test_silence_and_a_single_sample_are_mastered_without_an_error(
    name: str, tmp_path: Path
) -> None:
    for samples in (np.zeros(RATE, np.float32), np.full(1, 0.5, np.float32)):
        made = master(factory(samples), RATE, PROFILES[name], tmp_path / "m.flac")
        rate_hz = PROFILES[name].sample_rate_hz or RATE
        assert made.n_samples == round(len(samples) * rate_hz / RATE)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    for name in ("audiobook", "raw"):
        shares: list[float] = []
        samples = framed(speech(2.0))
        master(factory(samples), RATE, PROFILES[name], tmp_path / "m.flac", shares.append)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"m\.flac"):
        master(factory(speech(1.0)), RATE, PROFILES["raw"], tmp_path / "missing" / "m.flac")


def test_an_error_of_the_stream_is_passed_on(tmp_path: Path) -> None:
    calls = 0

    def blocks() -> Iterator[Samples]:
        nonlocal calls
        calls += 1
        yield speech(1.0)
        if calls == 2:
            raise PermanentError("chunk 7 is damaged")

    with pytest.raises(PermanentError, match="chunk 7"):
        master(blocks, RATE, PROFILES["audiobook"], tmp_path / "m.flac")
