"""Upstream's ERes2NetV2 checkpoint → our network, with its batch normalisation folded in.

The file is a plain `torch.save` of a state dict
(`sv/pretrained_eres2netv2w24s4ep4.ckpt` below upstream's `pretrained_models`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.checkpoint import container
from pipeline.engines.gpt_sovits.features.eres2net import ERes2NetV2
from pipeline.errors import ModelError

#: The end of our name → upstream's for the convolution and for the normalisation behind it.
_LAYERS = {
    r"stem": ("conv1", "bn1"),
    r"reduce": ("conv1", "bn1"),
    r"groups\.(\d+)": (r"convs.\1", r"bns.\1"),
    r"squeeze": ("local_att.0", "local_att.1"),
    r"expand": ("local_att.3", "local_att.4"),
    r"restore": ("conv3", "bn3"),
    r"shortcut": ("shortcut.0", "shortcut.1"),
    r"downsample": ("layer3_ds", None),
}

#: Parts of the checkpoint that the fused map does not pass through, and counters of training.
_UNUSED = re.compile(r"seg_1\.(weight|bias)|.*\.num_batches_tracked")

_BATCH_NORM_EPS = 1e-5


def load(
    path: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> ERes2NetV2:
    """Return the network with the weights of a checkpoint file.

    Raises:
        ModelError: The file is missing, damaged or another model's.
    """
    return from_state(container.state_dict(path), name=str(path)).to(device, dtype)


def from_state(state: Mapping[str, Tensor], *, name: str) -> ERes2NetV2:
    """Return the network with the weights of an upstream state dict.

    Args:
        state: Tensors by upstream's keys.
        name: What to call the source in errors.

    Raises:
        ModelError: A tensor is missing, has another shape or belongs to another model.
    """
    remaining = {key: value for key, value in state.items() if not _UNUSED.fullmatch(key)}
    ours: dict[str, Tensor] = {}
    with torch.device("meta"):  # Memory comes with the weights.
        network = ERes2NetV2()
    try:
        for layer, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                ours |= _folded(layer, remaining)
    except KeyError as error:
        raise _foreign(name, f"it lacks {error.args[0]}") from None
    if remaining:
        raise _foreign(name, f"it also holds {min(remaining)}")
    try:
        network.load_state_dict(ours, strict=True, assign=True)
    except RuntimeError as error:
        raise _foreign(name, str(error)) from None
    return network.eval().requires_grad_(False)


def _folded(layer: str, remaining: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take a layer's tensors out of the checkpoint and return ours."""
    conv, norm = _upstream_names(layer)
    weight = remaining.pop(f"{conv}.weight").double()
    if norm is None:
        return {f"{layer}.weight": weight.float()}
    bias = remaining.pop(f"{conv}.bias", torch.zeros(1)).double()
    gain, shift, mean, variance = (
        remaining.pop(f"{norm}.{leaf}").double()
        for leaf in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / torch.sqrt(variance + _BATCH_NORM_EPS)
    return {
        f"{layer}.weight": (weight * scale[:, None, None, None]).float(),
        f"{layer}.bias": ((bias - mean) * scale + shift).float(),
    }


def _upstream_names(layer: str) -> tuple[str, str | None]:
    """Return upstream's names of one of our convolutions and of its normalisation."""
    above = re.sub(r"stages\.(\d+)", lambda found: f"layer{int(found[1]) + 1}", layer)
    above = above.replace("gates.", "fuse_models.").replace("fuse.", "fuse34.")
    for ending, (conv, norm) in _LAYERS.items():
        pattern = rf"\b{ending}$"
        if re.search(pattern, above):
            return re.sub(pattern, conv, above), norm and re.sub(pattern, norm, above)
    raise AssertionError(layer)


def _foreign(name: str, why: str) -> ModelError:
    return ModelError(
        f"{name} is not the ERes2NetV2 speaker verification model of v2Pro: {why}. "
        "Use pretrained_eres2netv2w24s4ep4.ckpt."
    )
