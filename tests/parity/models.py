"""The models of an end-to-end case, written to disk as upstream keeps them."""

from __future__ import annotations

import io
import json
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import golden
import torch
import weights
from transformers import BertTokenizer

#: Where upstream keeps the two stages, below `pretrained_models`.
STAGES = {
    "v1": ("s1bert25hz-2kh-longer-epoch=68e-step=50232.ckpt", "s2G488k.pth"),
    "v2": (
        "gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt",
        "gsv-v2final-pretrained/s2G2333k.pth",
    ),
    "v2Pro": ("s1v3.ckpt", "v2Pro/s2Gv2Pro.pth"),
    "v2ProPlus": ("s1v3.ckpt", "v2Pro/s2Gv2ProPlus.pth"),
}
#: What upstream writes over the first two bytes of newer s2 files.
TAGS = {"v2Pro": b"05", "v2ProPlus": b"06"}

#: Cases name only the seed of this network: its size never differs.
VERIFICATION = Path(__file__).parent / "golden" / "v3" / "sv_eres2net.json"


@dataclass(frozen=True, slots=True)
class Paths:
    """Files and folders of a case's models."""

    bert: Path
    hubert: Path
    s1: Path
    s2: Path
    #: Only v2Pro and v2ProPlus have one.
    verification: Path | None


def build_models(document: Mapping[str, Any], folder: Path) -> Paths:
    """Write all models of an end-to-end case below the folder, laid out as `pretrained_models`.

    Args:
        document: The case's JSON.
        folder: Becomes `pretrained_models`.
    """
    version = document["version"]
    s1, s2 = (folder / name for name in STAGES[version])
    return Paths(
        bert=build_bert(document["bert"], folder / "chinese-roberta-wwm-ext-large"),
        hubert=build_hubert(document["hubert"], folder / "chinese-hubert-base"),
        s1=build_s1(document["s1"], s1),
        s2=build_s2(document["s2"], s2, tag=TAGS.get(version)),
        verification=(
            build_verification(document["sv"], folder / "sv" / "pretrained_eres2netv2w24s4ep4.ckpt")
            if "sv" in document
            else None
        ),
    )


def build_bert(case: Mapping[str, Any], folder: Path) -> Path:
    """Write the BERT folder; return it."""
    state = _state(case)
    # The two are one tensor, which upstream's loader set twice: the later one stayed.
    state["bert.embeddings.word_embeddings.weight"] = state["cls.predictions.decoder.weight"]
    _write_folder(folder, case["config"], state)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("".join(f"{token}\n" for token in case["vocab"]), encoding="utf-8")
    BertTokenizer.from_pretrained(folder, local_files_only=True).save_pretrained(folder)
    return folder


def build_hubert(case: Mapping[str, Any], folder: Path) -> Path:
    """Write the HuBERT folder; return it."""
    _write_folder(folder, case["config"], _state(case))
    reading = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "do_normalize": True,
        "feature_size": 1,
        "padding_side": "right",
        "padding_value": 0,
        "return_attention_mask": False,
        "sampling_rate": 16_000,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(reading), encoding="utf-8")
    return folder


def build_s1(case: Mapping[str, Any], path: Path) -> Path:
    """Write the checkpoint of the first stage; return its path."""
    state = _state(case | {"half": False})
    state["model.ar_predict_layer.weight"][case["config"]["model"]["EOS"]] *= case["eos_row_gain"]
    contents = OrderedDict(weight=_halved(state), config=case["config"], info="GPT-e1")
    return _save(contents, path)


def build_s2(case: Mapping[str, Any], path: Path, *, tag: bytes | None) -> Path:
    """Write the checkpoint of the second stage; return its path."""
    state = {key: value for key, value in _state(case).items() if "enc_q" not in key}
    with _hparams() as kind:
        config = kind(case["config"])
        contents = OrderedDict(weight=_halved(state), config=config, info="1epoch_1iteration")
        return _save(contents, path, tag=tag)


def build_verification(case: Mapping[str, Any], path: Path) -> Path:
    """Write the checkpoint of the speaker verification network; return its path."""
    return _save(_state(golden.document(VERIFICATION) | case), path)


def _state(case: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    arrays = weights.checkpoint(
        case["shapes"],
        case["seed"],
        half=case.get("half", False),
        int_keys=case.get("int_keys", ()),
    )
    return {key: torch.from_numpy(value) for key, value in arrays.items()}


def _halved(state: Mapping[str, torch.Tensor]) -> OrderedDict[str, torch.Tensor]:
    return OrderedDict((key, value.half()) for key, value in state.items())


def _write_folder(folder: Path, config: Mapping[str, Any], state: object) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    _save(state, folder / "pytorch_model.bin")


def _save(contents: object, path: Path, *, tag: bytes | None = None) -> Path:
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    stored = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tag + stored[len(tag) :] if tag else stored)
    return path


class HParams:
    """Settings as upstream keeps them: nested attributes."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            setattr(self, name, HParams(value) if isinstance(value, dict) else value)


HParams.__module__, HParams.__qualname__ = "utils", "HParams"


@contextmanager
def _hparams() -> Iterator[type[HParams]]:
    """Let the class pickle by the name `utils.HParams`, as upstream's does."""
    before = sys.modules.get("utils")
    sys.modules["utils"] = module = types.ModuleType("utils")
    module.HParams = HParams  # type: ignore[attr-defined]
    try:
        yield HParams
    finally:
        del sys.modules["utils"]
        if before:
            sys.modules["utils"] = before
