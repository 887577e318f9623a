"""The speaker verification network equals upstream's."""

from __future__ import annotations

from pathlib import Path

import golden
import numpy as np
import pytest
import torch
import weights

from pipeline.engines.gpt_sovits.features import eres2net_weights

TOLERANCE = 1e-4


@pytest.mark.parametrize("path", golden.cases("speaker_verification"), ids=golden.name)
def test_the_embedding_of_a_clip_is_equal(path: Path) -> None:
    case, expected = golden.document(path), golden.arrays(path)
    state = weights.checkpoint(
        case["shapes"], case["seed"], half=case["half"], int_keys=case["int_keys"]
    )
    network = eres2net_weights.from_state(
        {key: torch.from_numpy(value) for key, value in state.items()}, name=path.name
    )
    clip = torch.from_numpy(expected["wav16k"].astype(np.float32) / 32768)
    ours = network.verification_embedding(clip)
    assert ours.shape == expected["out_emb"].shape
    assert golden.relative_error(ours.numpy(), expected["out_emb"]) <= TOLERANCE
