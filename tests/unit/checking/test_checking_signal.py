from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.clip import Clip, Samples
from pipeline.checking.signal import MAX_STRETCH, SPARE_S, refusal, signal_defects

RATE = 24_000


def syllables(seconds: float = 2.0, level: float = 0.3) -> Samples:
    """Bursts of a tone with short gaps: as loud and as quiet as speech."""
    time = np.arange(int(seconds * RATE)) / RATE
    voiced = (time % 0.25) < 0.18
    return np.asarray(level * voiced * np.sin(2 * np.pi * 180 * time), np.float32)


def kinds(samples: Samples) -> list[str]:
    return [defect.kind for defect in signal_defects(Clip(samples.astype(np.float32), RATE))]


def test_clean_audio_has_no_defects() -> None:
    assert kinds(syllables()) == []


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), syllables(level=1e-4)])
def test_silence_is_named(samples: Samples) -> None:
    assert kinds(samples) == ["silence"]


def test_noise_ten_decibels_under_the_speech_is_named() -> None:
    speech = syllables()
    noise = np.random.default_rng(1).standard_normal(len(speech))
    noise *= np.sqrt(np.mean(speech**2) / 10)
    assert kinds(speech + noise) == ["noise"]


def test_numbers_that_are_none_are_noise() -> None:
    speech = syllables()
    speech[100] = np.nan
    assert kinds(speech) == ["noise"]


def test_overdriven_audio_is_clipped() -> None:
    assert "clipping" in kinds(np.clip(syllables() * 10, -1, 1))


def test_a_pause_is_no_defect_but_a_hole_is() -> None:
    short, long = np.zeros(RATE), np.zeros(3 * RATE)
    assert kinds(np.concatenate([syllables(), short, syllables()])) == []
    assert kinds(np.concatenate([syllables(), long, syllables()])) == ["silence"]


def refused(samples: Samples, expected_s: float = 2.0) -> str | None:
    found = refusal(Clip(samples.astype(np.float32), RATE), expected_s)
    return found.kind if found else None


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), syllables(level=1e-4)])
def test_silence_is_refused_outright(samples: Samples) -> None:
    assert refused(samples) == "silence"


def test_audio_far_too_long_for_its_text_is_refused_outright() -> None:
    longest_s = MAX_STRETCH * 2.0 + SPARE_S
    assert refused(syllables(longest_s)) is None
    assert refused(syllables(longest_s + 0.1)) == "endless"


def test_a_short_word_may_be_drawn_out_and_surrounded_by_silence() -> None:
    quiet = np.zeros(RATE)
    assert refused(np.concatenate([quiet, syllables(0.5), quiet, quiet]), 0.2) is None


def test_what_only_a_check_can_find_is_not_refused_outright() -> None:
    assert refused(np.clip(syllables() * 10, -1, 1)) is None
    assert refused(np.random.default_rng(1).standard_normal(RATE) / 10) is None
