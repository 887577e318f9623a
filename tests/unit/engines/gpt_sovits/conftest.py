"""Small checkpoints, written the way GPT-SoVITS writes them."""

from __future__ import annotations

import io
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_engine import TinyEngine

#: Writes `contents` below the test's folder.
Write = Callable[..., Path]


class HParams:
    """Settings as upstream keeps them: nested attributes."""

    def __init__(self, **settings: Any) -> None:
        for name, value in settings.items():
            setattr(self, name, HParams(**value) if isinstance(value, dict) else value)


HParams.__module__, HParams.__qualname__ = "utils", "HParams"


@pytest.fixture
def hparams() -> Iterator[type]:
    """A class that pickles by the name `utils.HParams`, as upstream's does."""
    before = sys.modules.get("utils")
    sys.modules["utils"] = module = types.ModuleType("utils")
    module.HParams = HParams  # type: ignore[attr-defined]
    yield HParams
    del sys.modules["utils"]
    if before:
        sys.modules["utils"] = before


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Store contents as upstream does: `torch.save`, then the version tag over the signature."""

    def written(name: str, contents: object, tag: bytes | None = None, **options: Any) -> Path:
        buffer = io.BytesIO()
        torch.save(contents, buffer, **options)
        data = buffer.getvalue()
        path = tmp_path / name
        path.write_bytes(tag + data[2:] if tag else data)
        return path

    return written


def half(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape))).half()


def s1_contents(phonemes: int = 732) -> dict[str, Any]:
    weights = {
        "model.ar_text_embedding.word_embeddings.weight": half(phonemes, 8),
        "model.ar_audio_embedding.word_embeddings.weight": half(1025, 8),
        "model.ar_predict_layer.weight": half(1025, 8),
    }
    config = {
        "model": {"phoneme_vocab_size": phonemes, "hidden_dim": 8, "EOS": 1024},
        "data": {"max_sec": 54},
    }
    return OrderedDict(weight=OrderedDict(weights), config=config, info="GPT-e15")


def s2_weights(version: str) -> dict[str, torch.Tensor]:
    kernel = 20 if version == "v2ProPlus" else 16
    weights = {
        "enc_p.text_embedding.weight": half(322 if version == "v1" else 732, 4),
        "dec.conv_pre.weight": half(8, 4, 7),
        "dec.ups.0.weight_v": half(8, 4, kernel),
    }
    if "Pro" in version:
        weights["sv_emb.weight"] = half(4, 16)
    return weights


def s2_contents(version: str, config: object) -> dict[str, Any]:
    return OrderedDict(weight=s2_weights(version), config=config, info="8epoch_104iteration")


#: Upstream's tag of each version; v1 and v2 have none.
TAGS = {"v1": None, "v2": None, "v2Pro": b"05", "v2ProPlus": b"06"}


@pytest.fixture
def s1_file(write: Write) -> Callable[..., Path]:
    """Write a GPT model: `s1_file(phonemes)`."""
    return lambda phonemes=732: write(f"gpt-{phonemes}.ckpt", s1_contents(phonemes))


@pytest.fixture
def s2_file(write: Write, hparams: type) -> Callable[..., Path]:
    """Write a SoVITS model: `s2_file(version)`; more contents by name."""

    def written(version: str = "v2", *, tag: bytes | None = None, **more: object) -> Path:
        config = hparams(
            model={"gin_channels": 512, "upsample_rates": [10, 8]},
            data={"sampling_rate": 32000, "mel_fmax": None},
            name="anna",
        )
        contents = s2_contents(version, config) | more
        return write(f"{version}.pth", contents, tag or TAGS[version])

    return written


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> TinyEngine:
    """The whole engine on small random networks, and a voice."""
    return TinyEngine(tmp_path_factory.mktemp("engine"))
