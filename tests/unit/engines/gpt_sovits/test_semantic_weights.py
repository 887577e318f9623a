"""A checkpoint's tensors must be those of the network, every one and no other."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import tiny_semantic as tiny
import torch

from pipeline.engines.gpt_sovits.semantic import weights
from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig

SETTINGS = {
    "hidden_dim": 64, "head": 4, "n_layer": 2, "phoneme_vocab_size": 322, "vocab_size": 257,
    "EOS": 256,
}  # fmt: skip


def test_sizes_are_read_from_the_checkpoints_settings() -> None:
    assert asdict(SemanticConfig.from_checkpoint({"model": SETTINGS})) == asdict(tiny.SMALL)


@pytest.mark.parametrize("missing", [name for name in SETTINGS if name != "EOS"])
def test_a_missing_size_is_named(missing: str) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != missing}
    with pytest.raises(ValueError, match=rf"lacks model\.{missing}"):
        SemanticConfig.from_checkpoint({"model": settings})


@pytest.mark.parametrize("wrong", [{"EOS": 12}, {"head": 7}])
def test_sizes_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="contradicts itself"):
        SemanticConfig.from_checkpoint({"model": SETTINGS | wrong})


@pytest.mark.parametrize("key", sorted(tiny.state(tiny.SMALL)))
def test_a_tensor_that_is_missing_or_of_another_shape_is_named(key: str) -> None:
    state = tiny.state(tiny.SMALL)
    tensor = state.pop(key)
    with pytest.raises(ValueError, match=f"lacks the tensor {key}"):
        weights.build(tiny.SMALL, state)
    state[key] = torch.cat((tensor, tensor[:1]))
    with pytest.raises(ValueError, match=rf"{key} is {len(tensor) + 1}\b.*, not {len(tensor)}\b"):
        weights.build(tiny.SMALL, state)


def test_a_tensor_that_does_not_belong_is_named() -> None:
    state = tiny.state(tiny.SMALL) | {"model.h.layers.9.norm1.bias": torch.zeros(64)}
    with pytest.raises(ValueError, match=r"do not belong: model\.h\.layers\.9\.norm1\.bias"):
        weights.build(tiny.SMALL, state)
