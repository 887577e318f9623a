"""Features of audio equal upstream's."""

from __future__ import annotations

import math
import re

import golden
import numpy as np
import pytest
import torch

from pipeline.engines.gpt_sovits.features import mel
from pipeline.engines.gpt_sovits.features.fbank import fbank
from pipeline.engines.gpt_sovits.features.resample import resample
from pipeline.engines.gpt_sovits.features.spectrogram import reference_spectrogram

TOLERANCE = 1e-4

CASES = golden.cases("audio_frontend")
RESAMPLED = [
    (path, key) for path in CASES for key in golden.arrays(path) if key.startswith("out_resample_")
]


def _signal(case: dict[str, np.ndarray], name: str) -> torch.Tensor:
    """Return a test signal, [1, T]."""
    return torch.from_numpy(case[name].astype(np.float32) / 32768)[None]


@pytest.fixture(scope="module", params=CASES, ids=golden.name)
def case(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    return golden.arrays(request.param)


def test_the_spectrogram_of_a_reference_is_equal(case: dict[str, np.ndarray]) -> None:
    ours = reference_spectrogram(_signal(case, "wav32k"))
    _assert_equal(ours, case["out_spec_32k"])


def test_the_mel_spectrogram_of_v3_is_equal(case: dict[str, np.ndarray]) -> None:
    ours = mel.log_mel(_signal(case, "wav24k"), mel.V3)
    _assert_equal(ours, case["out_mel_v3_24k"])


def test_the_mel_spectrogram_of_v4_is_equal(case: dict[str, np.ndarray]) -> None:
    ours = mel.log_mel(_signal(case, "wav32k"), mel.V4)
    _assert_equal(ours, case["out_mel_v4_32k"])


def test_the_normalised_mel_spectrogram_is_equal(case: dict[str, np.ndarray]) -> None:
    ours = mel.normalise(mel.log_mel(_signal(case, "wav24k"), mel.V3))
    _assert_equal(ours, case["out_norm_mel_v3"])


def test_the_filter_bank_is_equal(case: dict[str, np.ndarray]) -> None:
    ours = fbank(_signal(case, "wav16k")[0])
    _assert_equal(ours[0].T, case["out_fbank"])


@pytest.mark.parametrize(
    ("path", "key"), RESAMPLED, ids=[f"{path.stem}-{key[13:]}" for path, key in RESAMPLED]
)
def test_a_resampled_signal_is_equal(path: golden.Path, key: str) -> None:
    case, expected = golden.arrays(path), golden.arrays(path)[key]
    from_hz, to_hz = (int(rate) for rate in re.findall(r"\d+", key))
    signal = _signal(case, f"wav{from_hz // 1000}k")
    ours = resample(signal, from_hz, to_hz)
    assert ours.shape[1] == math.ceil(signal.shape[1] * to_hz / from_hz)
    _assert_equal(ours[:, : expected.shape[1]], expected)


def _assert_equal(ours: torch.Tensor, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    assert golden.relative_error(ours.numpy(), theirs) <= TOLERANCE
