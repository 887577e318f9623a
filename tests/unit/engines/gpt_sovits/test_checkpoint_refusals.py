"""Files that are not what they should be: each is named, with what it seems to be."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.engines.gpt_sovits.checkpoint.container import read, state_dict
from pipeline.errors import ModelError


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(ModelError) as refused:
        read(path, **options)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    return message


def test_the_stages_exchanged_are_told(s1_file, s2_file) -> None:
    told = refusal(s1_file(), expect="s2")
    assert "this is a GPT model (s1) of v2; expected a SoVITS model (s2)" in told
    told = refusal(s2_file("v2Pro"), expect="s1")
    assert "this is a SoVITS model (s2) of v2Pro; expected a GPT model (s1)" in told


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.ckpt")
    assert "a folder" in refusal(tmp_path)


BEGINNINGS = {
    "empty": (b"", "the file is empty"),
    "web page": (b"\n<!DOCTYPE html><html><title>Not found</title>", "a web page"),
    "xml error": (b"<?xml version='1.0'?><Error/>", "a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
    "json": (b'{"error": "Repository not found"}', "JSON"),
    "safetensors": (b"\x40\0\0\0\0\0\0\0" + b'{"weight":{}}', "safetensors"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "packed archive"),
    "noise": (b"RIFF\x24\x08\0\0WAVEfmt " + bytes(100), "not a PyTorch checkpoint"),
    "newer": (b"09\x03\x04" + bytes(100), r"version tag b'09'"),
}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_what_is_no_checkpoint_is_named_as_what_it_is(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    content, told = BEGINNINGS[kind]
    path.write_bytes(content)
    assert told in refusal(path)


@pytest.mark.parametrize("version", ["v2", "v2Pro"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(version: str, share: float, s2_file) -> None:
    path = s2_file(version)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    told = refusal(path)
    assert "cut short or damaged" in told
    assert "Fetch it again." in told


def test_a_truncated_file_of_old_pytorch_is_refused_by_name(write) -> None:
    path = write("old.pth", {"weight": torch.ones(4000)}, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "damaged" in refusal(path)


def test_a_zip_of_other_things_is_told_with_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "voice.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("voice/anna.wav", b"RIFF")
    assert "a zip archive with voice/anna.wav" in refusal(path)


def test_a_packed_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(10_000_000))
    assert "a packed archive" in refusal(path)


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


EMBEDDING = {"enc_p.text_embedding.weight": zeros(732, 4)}
STRANGERS: dict[str, tuple[dict[str, Any], str]] = {
    "v3 or v4": (
        {"weight": EMBEDDING | {"cfm.estimator.t_embed.weight": zeros(1)}},
        "a SoVITS model of v3 or v4",
    ),
    "LoRA by rank": ({"weight": EMBEDDING, "lora_rank": 32}, "a LoRA of SoVITS v3 or v4"),
    "LoRA by weights": (
        {"weight": {"cfm.estimator.blocks.0.to_k.lora_A.default.weight": zeros(1)}},
        "a LoRA of SoVITS v3 or v4",
    ),
    "s2D": ({"weight": {"discriminators.0.convs.0.weight": zeros(1)}}, "the discriminator"),
    "G_…": (
        {"model": EMBEDDING, "optimizer": {}, "iteration": 5, "learning_rate": 0.1},
        "a state of SoVITS training",
    ),
    "s1 training": (
        {"state_dict": {}, "pytorch-lightning_version": "2.4", "output_dir": Path("logs")},
        "a state of GPT training",
    ),
    "v3 vocoder": ({"generator": {"conv_pre.weight": zeros(1)}}, "the vocoder of v3"),
    "v4 vocoder": (
        {"conv_pre.weight": zeros(1), "conv_post.weight": zeros(1)},
        "the vocoder of v4",
    ),
    "speaker verification": (
        {"layer1.0.conv1.weight": zeros(1), "seg_1.weight": zeros(1)},
        "the speaker verification model",
    ),
    "BERT": ({"bert.embeddings.word_embeddings.weight": zeros(1)}, "the BERT model"),
    "another s1": (
        {"weight": {"model.ar_text_embedding.word_embeddings.weight": zeros(600, 4)}},
        "a GPT model (s1) with 600 phonemes; known are 512 (v1) or 732 (v2)",
    ),
    "another s2": (
        {"weight": {"enc_p.text_embedding.weight": zeros(400, 4)}},
        "a SoVITS model (s2) with 400 phonemes",
    ),
    "another Pro": (
        {"weight": EMBEDDING | {"sv_emb.weight": zeros(1), "dec.ups.0.weight_v": zeros(1, 1, 9)}},
        "neither v2Pro nor v2ProPlus",
    ),
    "another model": ({"weight": {"layers.0.weight": zeros(1)}}, "another kind of model"),
    "nothing": ({"epoch": 3}, "another kind of model"),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_other_models_are_named_as_what_they_are(kind: str, write) -> None:
    contents, told = STRANGERS[kind]
    assert told in refusal(write("model.pth", contents), expect="s2")


def test_a_v3_model_is_told_to_be_unspoken_so_far(write) -> None:
    told = refusal(write("s2Gv3.pth", STRANGERS["v3 or v4"][0], b"02"))
    assert "does not speak with yet; it speaks with v1, v2, v2Pro and v2ProPlus" in told


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda contents: contents.pop(name)


def _set(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda contents: contents.update({name: value})


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no settings": (_without("config"), "no settings of its model"),
    "settings without model": (_set("config", {"data": {}}), "no settings of its model"),
    "tensor in settings": (_set("config", {"model": {"a": zeros(1)}}), "hold a Tensor"),
    "numbers as names": (_set("config", {"model": {1: 2}}), "not plain data"),
    "no weights": (_set("weight", {}), "holds no weights"),
    "weights in a list": (_set("weight", [zeros(1)]), "holds no weights"),
    "number as weight": (_set("weight", {"a": 1}), "'a' is not a plain tensor"),
    "sparse weight": (_set("weight", {"a": zeros(2, 2).to_sparse()}), "'a' is not a plain"),
    "meta weight": (_set("weight", {"a": torch.empty(9, device="meta")}), "'a' is not a plain"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_contents_that_do_not_fit_are_refused(kind: str, write, s1_file) -> None:
    contents = torch.load(s1_file(), weights_only=True)
    change, told = BROKEN[kind]
    change(contents)
    assert told in refusal(write("broken.ckpt", contents))


def test_settings_that_nest_without_end_are_refused(write, s1_file) -> None:
    contents = torch.load(s1_file(), weights_only=True)
    contents["config"]["model"]["self"] = contents["config"]
    assert "nest too deep" in refusal(write("endless.ckpt", contents))


def test_a_file_that_holds_a_list_is_refused(write) -> None:
    assert "holds a list" in refusal(write("list.pth", [1, 2]))


def test_bare_tensors_are_refused_when_they_are_none(write) -> None:
    path = write("sv.ckpt", {"config": {}})
    with pytest.raises(ModelError, match="'config' is not a plain tensor"):
        state_dict(path)
