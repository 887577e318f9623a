"""Models of the transformers library, read from a folder: strictly, quietly and without a network.

The library's own loader fills in what a file lacks with random numbers and a line in the log; here
that is an error. It would also print, and read more than is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers.configuration_utils import PretrainedConfig
from transformers.initialization import no_init_weights

from pipeline.engines.gpt_sovits.checkpoint import container, hf_folder
from pipeline.errors import ModelError

_Model = TypeVar("_Model", bound=nn.Module)
_Config = TypeVar("_Config", bound=PretrainedConfig)

#: Endings of names as older versions of the library and of torch wrote them → today's.
_RENAMED = {
    "LayerNorm.gamma": "LayerNorm.weight",
    "LayerNorm.beta": "LayerNorm.bias",
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}


def config(folder: Path, kind: type[_Config], *, width: int) -> _Config:
    """Return a model's settings.

    Args:
        folder: The model's folder.
        kind: The library's class of settings.
        width: The width that its features must have.

    Raises:
        ModelError: The settings cannot be read, or are another model's.
    """
    path = folder / hf_folder.CONFIG
    try:
        found: Any = kind.from_json_file(path)
    except Exception as error:  # the library checks settings with errors of many kinds
        raise ModelError(f"{path}: these settings cannot be used ({error}).") from error
    if found.hidden_size != width:
        raise ModelError(
            f"{path}: the features of this model are {found.hidden_size} wide; GPT-SoVITS was "
            f"trained on a model with {width}."
        )
    return found


def build(
    make: Callable[[], _Model],
    folder: Path,
    *,
    prefix: str,
    unused: str,
    device: torch.device | str,
    dtype: torch.dtype,
) -> _Model:
    """Return a model with the weights of a folder, ready to be used.

    Args:
        make: Makes the model; its weights need not be set.
        folder: The model's folder.
        prefix: What names begin with when the file holds more than this model.
        unused: Regular expression of names (without prefix) that the model has no use for.
        device: Where the model goes.
        dtype: The precision of its weights.

    Raises:
        ModelError: A file is damaged, or its weights are not this model's.
    """
    path = next(path for name in hf_folder.WEIGHTS if (path := folder / name).is_file())
    weights = {_name(key, prefix): value for key, value in _read(path).items()}
    with no_init_weights():
        model = make()
    wanted = model.state_dict().keys()
    used = {key: value for key, value in weights.items() if key in wanted}
    left = [key for key in weights.keys() - wanted if not re.match(unused, key)]
    problem = _problem(sorted(wanted - used.keys()), sorted(left))
    try:
        model.load_state_dict(used, strict=False)
    except RuntimeError as error:
        problem = str(error).splitlines()[-1].strip()
    if problem:
        raise ModelError(f"{path}: the weights do not fit {hf_folder.CONFIG}: {problem}")
    return model.eval().requires_grad_(False).to(device, dtype)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        return container.state_dict(path)
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: damaged, it cannot be read ({error}). Fetch it again."
        ) from error


def _name(key: str, prefix: str) -> str:
    key = key.removeprefix(prefix)
    for older, newer in _RENAMED.items():
        if key.endswith(older):
            return key.removesuffix(older) + newer
    return key


def _problem(missing: list[str], left: list[str]) -> str | None:
    if missing:
        return f"{', '.join(missing[:3])} ({len(missing)} in all) are missing."
    if left:
        return f"{', '.join(left[:3])} ({len(left)} in all) belong to another model."
    return None
