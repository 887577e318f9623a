"""The checkpoint of one stage: its weights, its settings, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.checkpoint import archive
from pipeline.engines.gpt_sovits.checkpoint.identify import (
    STAGES,
    Identity,
    NotUsableError,
    Stage,
    Version,
    identify,
)
from pipeline.errors import ModelError

#: Settings nest three deep; what nests deeper than this is a trick.
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What one file of a model holds."""

    path: Path
    #: "s1" makes semantic tokens (upstream: GPT), "s2" makes sound of them (upstream: SoVITS).
    stage: Stage
    #: Of an s1 checkpoint "v1" or "v2": v2Pro and v2ProPlus use the phonemes of v2.
    version: Version
    #: As the file has them: `config["model"]`, `config["data"]`, …
    config: dict[str, Any]
    #: By upstream's names, in the precision in which they are stored.
    weights: dict[str, Tensor]
    #: Upstream's note on the training: "GPT-e15", "8epoch_104iteration".
    info: str


def read(path: Path, expect: Stage | None = None) -> Checkpoint:
    """Read a checkpoint; nothing that is in it is run.

    Args:
        path: A `.ckpt` or `.pth` of GPT-SoVITS.
        expect: The stage that it must be of.

    Raises:
        ModelError: It is missing, damaged, of another stage, or not a model to speak with.
    """
    contents = archive.load(path)
    if not isinstance(contents, dict):
        raise ModelError(f"{path}: it holds a {type(contents).__name__}, not a model.")
    weights = _tensors(path, contents["weight"]) if "weight" in contents else {}
    found = _identity(path, contents, weights, expect)
    if expect and found.stage != expect:
        raise ModelError(
            f"{path}: this is {STAGES[found.stage]} of {found.version}; expected "
            f"{STAGES[expect]}. Were the two files exchanged?"
        )
    return Checkpoint(
        path=path,
        stage=found.stage,
        version=found.version,
        config=_config(path, contents.get("config")),
        weights=weights,
        info=str(contents.get("info", "")),
    )


def state_dict(path: Path) -> dict[str, Tensor]:
    """Read a file that is nothing but tensors by name, such as the speaker verification model.

    Raises:
        ModelError: It is missing, damaged or something else.
    """
    return _tensors(path, archive.load(path))


def check_pair(s1: Checkpoint, s2: Checkpoint) -> None:
    """Refuse two stages that were not trained on the same phonemes.

    Raises:
        ModelError: One is of v1, the other is not.
    """
    if (s1.version == "v1") != (s2.version == "v1"):
        theirs = "v1" if s1.version == "v1" else "v2, v2Pro or v2ProPlus"
        raise ModelError(
            f"{s1.path} is of {s1.version} and {s2.path} of {s2.version}: they were trained on "
            f"different phonemes. Give {STAGES['s2']} of {theirs}, or another GPT model."
        )


def _identity(
    path: Path, contents: dict[str, Any], weights: dict[str, Tensor], expect: Stage | None
) -> Identity:
    try:
        return identify(contents, weights)
    except NotUsableError as error:
        wanted = f" Expected {STAGES[expect]}." if expect else ""
        raise ModelError(f"{path}: this is {error}{wanted}") from error


def _tensors(path: Path, found: object) -> dict[str, Tensor]:
    if not isinstance(found, dict) or not found:
        raise ModelError(f"{path}: it holds no weights.")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _is_plain(value):
            raise ModelError(f"{path}: {name!r} is not a plain tensor.")
    return {name: value.detach() for name, value in found.items()}


def _is_plain(value: Tensor) -> bool:
    return value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized


def _config(path: Path, found: object) -> dict[str, Any]:
    try:
        config = _plain(found, MAX_DEPTH)
    except TypeError as error:
        raise ModelError(f"{path}: its settings are not plain data ({error}).") from error
    if not isinstance(config, dict) or not isinstance(config.get("model"), dict):
        raise ModelError(f"{path}: it has no settings of its model, without which it has no shape.")
    return config


def _plain(value: object, depth: int) -> Any:
    """Return nested settings as dicts and lists.

    Raises:
        TypeError: Something in them is neither a number, nor text, nor a collection of those.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth == 0:
        raise TypeError("they nest too deep")
    if isinstance(value, (list, tuple)):
        return [_plain(each, depth - 1) for each in value]
    if isinstance(value, archive.HParams):
        value = vars(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(each, depth - 1) for key, each in value.items()}
    raise TypeError(f"they hold a {type(value).__name__}")
