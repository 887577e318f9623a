from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from pipeline.engines.gpt_sovits.features import reference
from pipeline.engines.gpt_sovits.features.spectrogram import reference_spectrogram
from pipeline.errors import RequestError


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 32_000, 44_100, 48_000])
def test_each_model_gets_the_clip_at_its_rate(rate_hz: int) -> None:
    found = reference.prepare(_noise(4 * rate_hz), rate_hz)
    assert found.prompt_16k.shape == (64_000 + 9600,)
    assert found.spectrogram.shape == (1, 1025, 200)
    assert found.verification_16k.shape == (64_000,)


def test_the_prompt_ends_in_silence() -> None:
    clip = _noise(48_001)
    found = reference.prepare(clip, 16_000)
    assert np.array_equal(found.prompt_16k[:48_001], clip)
    assert not found.prompt_16k[48_001:].any()


@pytest.mark.parametrize("n_samples", [48_000, 160_000])
def test_three_to_ten_seconds_are_accepted(n_samples: int) -> None:
    assert len(reference.prepare(_noise(n_samples), 16_000).verification_16k) == n_samples


@pytest.mark.parametrize("n_samples", [1, 47_999, 160_001, 320_000])
def test_other_lengths_are_refused(n_samples: int) -> None:
    with pytest.raises(RequestError, match="needs 3 to 10 s"):
        reference.prepare(_noise(n_samples), 16_000)


@pytest.mark.parametrize(("peak", "divisor"), [(0.9, 1.0), (1.6, 1.6), (5.0, 2.0)])
def test_a_clip_above_full_scale_is_made_softer(peak: float, divisor: float) -> None:
    clip = _noise(96_000)
    clip *= np.float32(peak) / np.abs(clip).max()
    expected = reference_spectrogram(torch.from_numpy(clip / np.float32(divisor))[None])
    assert torch.allclose(reference.prepare(clip, 32_000).spectrogram, expected, rtol=1e-4)


def test_what_hubert_hears_keeps_its_level() -> None:
    clip = _noise(48_000) * 4
    assert np.array_equal(reference.prepare(clip, 16_000).prompt_16k[:48_000], clip)


def test_silence_is_heard_as_silence() -> None:
    found = reference.prepare(np.zeros(132_301, np.float32), 44_100)
    assert not found.prompt_16k.any()
    assert torch.allclose(found.spectrogram, torch.tensor(1e-4))


def test_a_clip_that_cannot_be_written_to_is_read() -> None:
    clip = _noise(48_000)
    clip.flags.writeable = False
    assert len(reference.prepare(clip, 16_000).verification_16k) == 48_000


def _noise(n_samples: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(n_samples).uniform(-0.5, 0.5, n_samples).astype(np.float32)
