from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from transformers import HubertConfig, HubertModel

from pipeline.engines.gpt_sovits.features.hubert import Hubert
from pipeline.errors import ModelError

CONFIG = {
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "dtype": "float16",
}


@pytest.fixture(scope="module")
def original() -> HubertModel:
    torch.manual_seed(1)
    return HubertModel(HubertConfig(**CONFIG)).eval()


@pytest.fixture
def folder(original: HubertModel, tmp_path: Path) -> Path:
    """A HuBERT as people have it: in half precision, with torch's older names."""
    newer = "conv.parametrizations.weight.original"
    state = {
        key.replace(f"{newer}0", "conv.weight_g").replace(f"{newer}1", "conv.weight_v"): value
        for key, value in original.half().state_dict().items()
    }
    original.float()
    _write_config(tmp_path, CONFIG)
    torch.save(state, tmp_path / "pytorch_model.bin")
    return tmp_path


@pytest.mark.parametrize(("n_samples", "n_frames"), [(400, 1), (719, 1), (720, 2), (16_001, 49)])
def test_a_frame_takes_20_ms(folder: Path, n_samples: int, n_frames: int) -> None:
    found = Hubert.load(folder).features(torch.randn(n_samples))
    assert found.shape == (1, 768, n_frames)
    assert found.dtype == torch.float32


def test_the_features_are_those_of_the_original(folder: Path, original: HubertModel) -> None:
    waveform = torch.randn(3000)
    with torch.no_grad():
        expected = original(waveform[None]).last_hidden_state.mT
    assert torch.allclose(Hubert.load(folder).features(waveform), expected, atol=1e-5)


def test_silence_has_finite_features(folder: Path) -> None:
    assert Hubert.load(folder).features(torch.zeros(4801)).isfinite().all()


def test_the_same_clip_has_the_same_features_again(folder: Path) -> None:
    hubert, waveform = Hubert.load(folder), torch.randn(1601)
    assert torch.equal(hubert.features(waveform), hubert.features(waveform))


def test_a_model_can_be_of_half_precision(folder: Path) -> None:
    found = Hubert.load(folder, dtype=torch.bfloat16).features(torch.randn(800))
    assert found.dtype == torch.bfloat16


def test_loading_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Hubert.load(folder)
    assert capfd.readouterr() == ("", "")


def test_weights_that_the_settings_do_not_fit_are_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"num_hidden_layers": 2})
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*encoder\.layers\.1.*are missing"):
        Hubert.load(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"conv_dim": [9] * 7})
    with pytest.raises(ModelError, match=r"pytorch_model\.bin.*size mismatch"):
        Hubert.load(folder)


def test_a_model_of_another_width_is_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"hidden_size": 1024})
    with pytest.raises(ModelError, match="1024 wide"):
        Hubert.load(folder)


def test_settings_that_contradict_each_other_are_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"conv_dim": [8] * 6})
    with pytest.raises(ModelError, match=r"config\.json"):
        Hubert.load(folder)


def test_foreign_weights_are_refused(folder: Path, original: HubertModel) -> None:
    (folder / "pytorch_model.bin").unlink()
    state = original.state_dict() | {"adapter.weight": torch.zeros(2)}
    safetensors.torch.save_file(state, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"adapter\.weight .* belong to another model"):
        Hubert.load(folder)


def test_a_damaged_file_is_refused_by_name(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(ModelError, match=r"model\.safetensors: damaged"):
        Hubert.load(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        Hubert.load(tmp_path / "nowhere")


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    stored = json.dumps(config | {"model_type": "hubert"})
    (folder / "config.json").write_text(stored, encoding="utf-8")
