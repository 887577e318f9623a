from __future__ import annotations

import math

import pytest
import torch

from pipeline.engines.gpt_sovits.features import mel, spectrogram
from pipeline.engines.gpt_sovits.features.fbank import FRAME_SAMPLES, fbank


@pytest.mark.parametrize("n_samples", [705, 1279, 1280, 1281, 32_001])
def test_a_spectrogram_has_a_frame_for_each_hop_that_fits(n_samples: int) -> None:
    found = spectrogram.reference_spectrogram(torch.randn(1, n_samples))
    assert found.shape == (1, 1025, n_samples // 640)


def test_the_spectrogram_of_silence_is_its_floor() -> None:
    found = spectrogram.reference_spectrogram(torch.zeros(1, 3200))
    assert torch.allclose(found, torch.tensor(1e-4))


def test_a_clip_shorter_than_the_reflected_edge_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="reflected edge"):
        spectrogram.reference_spectrogram(torch.zeros(1, 704))


def test_a_tone_is_loudest_in_its_bin() -> None:
    times_s = torch.arange(32_000) / 32_000
    found = spectrogram.reference_spectrogram(torch.sin(2 * math.pi * 1000 * times_s)[None])
    assert found.mean(dim=2).argmax() == 1000 * 2048 // 32_000


@pytest.mark.parametrize("settings", [mel.V3, mel.V4])
def test_mels_have_a_frame_for_each_hop(settings: mel.MelSettings) -> None:
    found = mel.log_mel(torch.randn(2, settings.sample_rate_hz + 1), settings)
    assert found.shape == (2, 100, settings.sample_rate_hz // settings.hop_samples)


@pytest.mark.parametrize("settings", [mel.V3, mel.V4])
def test_every_mel_filter_hears_something(settings: mel.MelSettings) -> None:
    assert (mel.filters(settings).sum(dim=1) > 0).all()


def test_the_mel_spectrogram_of_silence_is_finite() -> None:
    assert mel.log_mel(torch.zeros(1, 9600), mel.V4).isfinite().all()


def test_the_models_see_the_usual_range_as_minus_one_to_one() -> None:
    found = mel.normalise(torch.tensor([-12.0, -5.0, 2.0]))
    assert found.tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize(("n_samples", "n_frames"), [(400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_a_filter_bank_frame_must_fit_wholly(n_samples: int, n_frames: int) -> None:
    assert fbank(torch.randn(n_samples)).shape == (1, 80, n_frames)


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_the_filter_bank_of_silence_is_its_floor_whatever_the_offset(level: float) -> None:
    found = fbank(torch.full((1600,), level))
    assert torch.allclose(found, torch.tensor(math.log(torch.finfo(torch.float32).eps)))


def test_a_clip_shorter_than_a_frame_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="shorter than a frame"):
        fbank(torch.zeros(FRAME_SAMPLES - 1))
