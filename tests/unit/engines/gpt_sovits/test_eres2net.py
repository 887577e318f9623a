from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from pipeline.engines.gpt_sovits.features import eres2net_weights
from pipeline.engines.gpt_sovits.features.eres2net import EMBEDDING_WIDTH, Gate
from pipeline.errors import ModelError

SHAPES = json.loads(
    (Path(__file__).parents[3] / "parity/golden/v3/sv_eres2net.json").read_text(encoding="utf-8")
)["shapes"]


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    """A state dict by upstream's keys that takes no memory: every tensor is of ones."""
    return {key: torch.ones(()).expand(shape) for key, shape in SHAPES.items()}


def test_an_embedding_has_the_width_v2pro_was_trained_on() -> None:
    assert EMBEDDING_WIDTH == 20_480


@pytest.mark.parametrize("n_samples", [400, 1601])
def test_short_and_odd_clips_have_an_embedding(
    state: dict[str, torch.Tensor], n_samples: int
) -> None:
    network = eres2net_weights.from_state(state, name="sv.ckpt")
    found = network.verification_embedding(torch.zeros(n_samples))
    assert found.shape == (1, EMBEDDING_WIDTH)
    assert found.isfinite().all()


@pytest.mark.parametrize("key", ["bn1.running_var", "layer3.5.fuse_models.2.local_att.4.bias"])
def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_name(
    state: dict[str, torch.Tensor], key: str
) -> None:
    del state[key]
    with pytest.raises(ModelError, match=rf"sv\.ckpt.* it lacks {key}"):
        eres2net_weights.from_state(state, name="sv.ckpt")


def test_a_checkpoint_with_a_foreign_tensor_is_refused(state: dict[str, torch.Tensor]) -> None:
    state["layer5.0.conv1.weight"] = torch.zeros(1)
    with pytest.raises(ModelError, match=r"also holds layer5\.0\.conv1\.weight"):
        eres2net_weights.from_state(state, name="sv.ckpt")


def test_a_checkpoint_of_another_size_is_refused(state: dict[str, torch.Tensor]) -> None:
    state["layer1.0.convs.0.weight"] = torch.ones(24, 26, 3, 3)
    with pytest.raises(ModelError, match="not the ERes2NetV2"):
        eres2net_weights.from_state(state, name="sv.ckpt")


def test_a_file_is_read_as_upstream_saved_it(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "sv.ckpt"
    torch.save({key: value for key, value in state.items() if key != "conv1.weight"}, path)
    with pytest.raises(ModelError, match=rf"{path}.* it lacks conv1\.weight"):
        eres2net_weights.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.ckpt"):
        eres2net_weights.load(tmp_path / "nowhere.ckpt")


def test_a_gate_of_equal_maps_lets_them_through_twice() -> None:
    x = torch.randn(2, 8, 3, 5)
    assert torch.allclose(Gate(8)(x, x), 2 * x, atol=1e-6)
