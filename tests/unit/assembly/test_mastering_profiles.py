"""What a finished file must measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.assembly.measure import Measurement
from pipeline.assembly.profiles import PROFILES, check

ACX_FILE = Measurement(
    codec="mp3",
    sample_rate_hz=44_100,
    channels=1,
    bitrate_kbps=192,
    is_constant_bitrate=True,
    duration_s=1800.0,
    integrated_lufs=-19.5,
    true_peak_db=-3.2,
    sample_peak_db=-3.3,
    rms_db=-20.5,
    noise_floor_db=-70.0,
    head_s=0.75,
    tail_s=2.0,
)
AUDIOBOOK_FILE = replace(ACX_FILE, codec="aac", integrated_lufs=-18.0, is_constant_bitrate=None)
BROADCAST_FILE = replace(
    ACX_FILE, codec="pcm_s16le", sample_rate_hz=48_000, channels=2, integrated_lufs=-23.0
)


def test_a_file_within_every_limit_has_no_problem() -> None:
    assert check(ACX_FILE, PROFILES["acx"], "mp3") == ()
    assert check(AUDIOBOOK_FILE, PROFILES["audiobook"], "m4b") == ()
    assert check(BROADCAST_FILE, PROFILES["broadcast"], "wav") == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rms_db": -17.9}, ["RMS level", "-17.90", "-23.00", "-18.00"]),
        ({"rms_db": -23.1}, ["RMS level", "-23.10"]),
        ({"sample_peak_db": -2.94}, ["peak", "-2.94", "-3.00"]),
        ({"noise_floor_db": -59.0}, ["noise floor", "-59.0", "-60"]),
        ({"sample_rate_hz": 48_000}, ["48000 Hz", "44100 Hz"]),
        ({"channels": 2}, ["2 channels"]),
        ({"bitrate_kbps": 128}, ["128 kbit/s", "192"]),
        ({"is_constant_bitrate": False}, ["constant"]),
        ({"head_s": 0.3}, ["before the first word", "0.30 s"]),
        ({"head_s": 1.2}, ["before the first word", "1.20 s"]),
        ({"tail_s": 0.6}, ["after the last word"]),
        ({"tail_s": 5.4}, ["after the last word"]),
        ({"duration_s": 7260.0}, ["121.0 minutes", "120"]),
        ({"codec": "vorbis"}, ["vorbis", "mp3"]),
    ],
)
def test_each_limit_of_acx_is_checked_and_named(change: dict[str, Any], words: list[str]) -> None:
    (problem,) = check(replace(ACX_FILE, **change), PROFILES["acx"], "mp3")
    assert all(word in problem for word in words)


@pytest.mark.parametrize(
    ("name", "format_name", "good", "lufs", "peak_db"),
    [
        ("audiobook", "m4b", AUDIOBOOK_FILE, -18.0, -1.5),
        ("podcast", "mp3", replace(ACX_FILE, channels=2), -16.0, -1.0),
        ("podcast", "mp3", ACX_FILE, -19.01, -1.0),
        ("broadcast", "wav", BROADCAST_FILE, -23.0, -1.0),
    ],
)
def test_loudness_and_true_peak_have_their_limits(
    name: str, format_name: str, good: Measurement, lufs: float, peak_db: float
) -> None:
    profile = PROFILES[name]
    assert profile.level
    slack = profile.level.tolerance_db
    good = replace(good, integrated_lufs=lufs, true_peak_db=peak_db)
    assert check(good, profile, format_name) == ()
    for off in (lufs - slack - 0.02, lufs + slack + 0.02):
        assert "loudness" in check(replace(good, integrated_lufs=off), profile, format_name)[0]
    (problem,) = check(replace(good, true_peak_db=peak_db + 0.01), profile, format_name)
    assert "true peak" in problem


def test_opus_has_its_own_rate() -> None:
    opus = replace(AUDIOBOOK_FILE, codec="opus", sample_rate_hz=48_000)
    assert check(opus, PROFILES["audiobook"], "opus") == ()


def test_raw_asks_for_nothing_but_the_codec() -> None:
    odd = replace(ACX_FILE, codec="flac", sample_rate_hz=22_050, sample_peak_db=0.0, rms_db=-50.0)
    assert check(odd, PROFILES["raw"], "flac") == ()


def test_every_profile_names_a_bit_rate_for_every_lossy_format() -> None:
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert set(profile.bitrates_kbps) == {"m4b", "mp3", "opus"}
        assert profile.peak is None or profile.master_ceiling_db < profile.peak.max_db
