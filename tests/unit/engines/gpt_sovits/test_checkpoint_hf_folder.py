"""The folders of BERT and HuBERT are checked before they are loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.engines.gpt_sovits.checkpoint.hf_folder import check_bert, check_hubert
from pipeline.errors import ModelError


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return model(tmp_path / "chinese-roberta-wwm-ext-large", "bert", "tokenizer.json")


@pytest.fixture
def hubert(tmp_path: Path) -> Path:
    return model(tmp_path / "chinese-hubert-base", "hubert")


def model(folder: Path, model_type: str, *more: str) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    for name in ("pytorch_model.bin", *more):
        (folder / name).write_bytes(b"PK\x03\x04")
    return folder


def test_whole_folders_are_accepted(bert: Path, hubert: Path) -> None:
    check_bert(bert)
    check_hubert(hubert)


def test_newer_names_of_weights_and_vocabulary_are_accepted(bert: Path) -> None:
    (bert / "pytorch_model.bin").rename(bert / "model.safetensors")
    (bert / "tokenizer.json").rename(bert / "vocab.txt")
    check_bert(bert)


def test_a_missing_folder_is_told_with_the_model_that_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"bert: there is no such folder.*chinese-roberta"):
        check_bert(tmp_path / "bert")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("config.json", r"config\.json \(the settings\) is missing"),
        ("pytorch_model.bin", r"model\.safetensors or pytorch_model\.bin \(the weights\)"),
        ("tokenizer.json", r"tokenizer\.json or vocab\.txt \(the characters it knows\)"),
    ],
)
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_missing_or_empty_file_is_told(name: str, told: str, is_empty: bool, bert: Path) -> None:
    (bert / name).write_bytes(b"") if is_empty else (bert / name).unlink()
    with pytest.raises(ModelError, match=told):
        check_bert(bert)


def test_the_two_folders_exchanged_are_told(bert: Path, hubert: Path) -> None:
    with pytest.raises(ModelError, match="type 'bert', expected 'hubert'"):
        check_hubert(bert)
    with pytest.raises(ModelError, match="type 'hubert', expected 'bert'"):
        check_bert(hubert)


@pytest.mark.parametrize("content", ["<html>", '["bert"]', "\xff"])
def test_settings_that_are_no_settings_are_refused(content: str, bert: Path) -> None:
    (bert / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"config\.json: "):
        check_bert(bert)


def test_a_pointer_in_place_of_the_weights_is_told(hubert: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (hubert / "pytorch_model.bin").write_text(pointer)
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: this is a Git LFS pointer"):
        check_hubert(hubert)
