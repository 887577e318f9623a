from __future__ import annotations

import math

import pytest
import torch

from pipeline.engines.gpt_sovits.features.resample import resample

PAIRS = [(44_100, 32_000), (32_000, 16_000), (8000, 32_000), (44_101, 32_000), (48_000, 16_000)]


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
@pytest.mark.parametrize("n_samples", [1, 2, 399, 1000, 4411])
def test_the_length_is_rounded_up(from_hz: int, to_hz: int, n_samples: int) -> None:
    found = resample(torch.randn(1, n_samples), from_hz, to_hz)
    assert found.shape == (1, math.ceil(n_samples * to_hz / from_hz))
    assert found.isfinite().all()


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_tone_stays_the_same_tone(from_hz: int, to_hz: int) -> None:
    found = resample(_tone(from_hz), from_hz, to_hz)
    middle = slice(to_hz // 100, to_hz // 12)  # At the ends the sinc meets silence.
    assert torch.allclose(found[middle], _tone(to_hz)[middle], atol=5e-3)


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    found = resample(_tone(44_100, pitch_hz=15_000), 44_100, 16_000)
    assert found[200:-200].abs().max() < 0.02


def test_silence_stays_silent() -> None:
    assert not resample(torch.zeros(2, 4001), 44_100, 32_000).any()


def test_the_same_rate_changes_nothing() -> None:
    waveform = torch.randn(1, 777)
    assert torch.equal(resample(waveform, 16_000, 16_000), waveform)


def test_every_row_is_resampled_by_itself() -> None:
    rows = torch.randn(3, 1001)
    together = resample(rows, 44_100, 16_000)
    for row, found in zip(rows, together, strict=True):
        assert torch.equal(resample(row, 44_100, 16_000), found)


def _tone(rate_hz: int, pitch_hz: float = 440) -> torch.Tensor:
    """A tenth of a second, [T]."""
    times_s = torch.arange(math.ceil(rate_hz / 10), dtype=torch.float64) / rate_hz
    return torch.sin(2 * math.pi * pitch_hz * times_s).float()
