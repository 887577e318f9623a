"""The folders of BERT and HuBERT, in the layout of the transformers library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.engines.gpt_sovits.checkpoint import archive
from pipeline.errors import ModelError

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TOKENIZERS = ("tokenizer.json", "vocab.txt")


def check_bert(folder: Path) -> None:
    """Refuse a folder that is not `chinese-roberta-wwm-ext-large` or of its kind.

    Raises:
        ModelError: The folder or a file in it is missing, or it holds another model.
    """
    _check(folder, "bert", "chinese-roberta-wwm-ext-large")
    _require(folder, TOKENIZERS, "the characters it knows")


def check_hubert(folder: Path) -> None:
    """Refuse a folder that is not `chinese-hubert-base` or of its kind.

    Raises:
        ModelError: The folder or a file in it is missing, or it holds another model.
    """
    _check(folder, "hubert", "chinese-hubert-base")


def _check(folder: Path, model_type: str, usual: str) -> None:
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such folder; expected the model {usual}.")
    found = _config(folder).get("model_type")
    if found != model_type:
        raise ModelError(
            f"{folder}: it holds a model of type {found!r}, expected {model_type!r} ({usual})."
        )
    weights = _require(folder, WEIGHTS, "the weights")
    with weights.open("rb") as file:
        if file.read(512).startswith(archive.LFS_POINTER):
            raise ModelError(
                f"{weights}: this is a Git LFS pointer: the name of the file, not it. "
                "Fetch it again."
            )


def _config(folder: Path) -> dict[str, Any]:
    path = _require(folder, (CONFIG,), "the settings")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: this is not JSON ({error}). Fetch it again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path}: expected a JSON object. Fetch it again.")
    return config


def _require(folder: Path, names: tuple[str, ...], what: str) -> Path:
    """Return the first of the files that is there and not empty."""
    for name in names:
        path = folder / name
        if path.is_file() and path.stat().st_size:
            return path
    raise ModelError(f"{folder}: {' or '.join(names)} ({what}) is missing or empty.")
