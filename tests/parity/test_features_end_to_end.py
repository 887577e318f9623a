"""What upstream's whole system made of a reference clip and its text, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import golden
import models
import numpy as np
import pytest
import torch
import weights
from torch.nn import functional

from pipeline.engines.gpt_sovits.features import reference
from pipeline.engines.gpt_sovits.features.bert import Bert
from pipeline.engines.gpt_sovits.features.hubert import Hubert
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes

TOLERANCE = 1e-4
#: What the front end leaves of punctuation, a phoneme each; Chinese characters have two.
MARKS = ",.!?…-"


@dataclass(frozen=True, slots=True)
class Case:
    document: dict[str, Any]
    expected: dict[str, np.ndarray]
    reference: reference.Reference


@pytest.fixture(scope="module", params=golden.cases("end_to_end"), ids=golden.name)
def case(request: pytest.FixtureRequest) -> Case:
    expected = golden.arrays(request.param)
    clip = expected["ref_wav"].astype(np.float32) / 32768
    return Case(golden.document(request.param), expected, reference.prepare(clip, 32_000))


def test_the_reference_spectrogram_is_equal(case: Case) -> None:
    expected = case.expected["ref_spec_head"]
    ours = case.reference.spectrogram[0, : len(expected)]
    assert golden.relative_error(ours.numpy(), expected) <= TOLERANCE


def test_the_features_of_the_prompt_text_are_equal(case: Case, tmp_path: Path) -> None:
    bert = Bert.load(models.build_bert(case.document["bert"], tmp_path / "bert"))
    norm = case.document["prompt_norm_text"]
    word2ph = tuple(1 if char in MARKS else 2 for char in norm)
    n_phonemes = len(case.expected["prompt_phones"])
    piece = Phonemes("zh", norm, ("UNK",) * n_phonemes, word2ph)
    [ours] = bert.features([piece])
    expected = case.expected["prompt_bert_head"]
    assert ours.shape == (1024, n_phonemes)
    assert golden.relative_error(ours[: len(expected)].numpy(), expected) <= TOLERANCE


def test_the_prompt_has_the_same_semantic_tokens(case: Case, tmp_path: Path) -> None:
    hubert = Hubert.load(models.build_hubert(case.document["hubert"], tmp_path / "hubert"))
    heard = hubert.features(case.reference.prompt_16k)
    assert _tokens(case.document["s2"], heard) == case.expected["prompt_semantic"].tolist()


def _tokens(s2: dict[str, Any], heard: torch.Tensor) -> list[int]:
    """Return the nearest codebook entries, as the quantizer of the second stage finds them."""
    keys = ("ssl_proj.weight", "ssl_proj.bias", "quantizer.vq.layers.0._codebook.embed")
    drawn = weights.checkpoint({key: s2["shapes"][key] for key in keys}, s2["seed"], half=True)
    kernel, bias, codebook = (torch.from_numpy(drawn[key]) for key in keys)
    halved = functional.conv1d(heard, kernel, bias, stride=2)[0].T
    return torch.cdist(halved, codebook).argmin(dim=1).tolist()
