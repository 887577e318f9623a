"""Reading the files that GPT-SoVITS writes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.engines.gpt_sovits.checkpoint.container import check_pair, read, state_dict
from pipeline.errors import ModelError


def test_a_gpt_model_is_read_with_its_settings_and_weights_as_stored(s1_file) -> None:
    found = read(s1_file(), expect="s1")
    assert (found.stage, found.version, found.info) == ("s1", "v2", "GPT-e15")
    assert found.config["model"] == {"phoneme_vocab_size": 732, "hidden_dim": 8, "EOS": 1024}
    assert found.weights["model.ar_predict_layer.weight"].dtype == torch.float16
    assert found.weights["model.ar_predict_layer.weight"].shape == (1025, 8)


@pytest.mark.parametrize("version", ["v1", "v2", "v2Pro", "v2ProPlus"])
def test_a_sovits_model_is_read_whatever_its_version_tag(version: str, s2_file) -> None:
    path = s2_file(version)
    found = read(path, expect="s2")
    assert (found.stage, found.version, found.info) == ("s2", version, "8epoch_104iteration")
    assert found.path == path


@pytest.mark.parametrize("tag", [b"00", b"01", b"02", b"05", b"06"])
def test_the_tag_does_not_decide_the_version(tag: bytes, s2_file) -> None:
    assert read(s2_file("v2", tag=tag)).version == "v2"


def test_settings_kept_as_attributes_become_plain_dicts(s2_file) -> None:
    config = read(s2_file("v2Pro")).config
    assert config == {
        "model": {"gin_channels": 512, "upsample_rates": [10, 8]},
        "data": {"sampling_rate": 32000, "mel_fmax": None},
        "name": "anna",
    }
    assert type(config["model"]) is dict


def test_weights_under_a_tag_are_the_same_as_without(write, s2_file) -> None:
    tagged = read(s2_file("v2Pro")).weights
    plain = read(s2_file("v2")).weights
    shared = "dec.conv_pre.weight"
    assert torch.equal(tagged[shared], plain[shared])


def test_the_tagged_file_is_left_as_it_was(s2_file, tmp_path: Path) -> None:
    path = s2_file("v2Pro")
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_old_pytorch_is_read_too(write, s1_file) -> None:
    contents = torch.load(s1_file(), weights_only=True)
    old = write("old.ckpt", contents, _use_new_zipfile_serialization=False)
    assert read(old).version == "v2"


def test_full_precision_stays_full_precision(write, s1_file) -> None:
    contents = torch.load(s1_file(), weights_only=True)
    contents["weight"] = {name: value.float() for name, value in contents["weight"].items()}
    found = read(write("float.ckpt", contents))
    assert {value.dtype for value in found.weights.values()} == {torch.float32}


def test_trainable_parameters_are_read_as_tensors_without_history(write, s1_file) -> None:
    contents = torch.load(s1_file(), weights_only=True)
    contents["weight"] = {
        name: torch.nn.Parameter(value) for name, value in contents["weight"].items()
    }
    found = read(write("parameters.ckpt", contents))
    assert not any(value.requires_grad for value in found.weights.values())


def test_bare_tensors_are_read_by_name(write) -> None:
    path = write("sv.ckpt", {"layer1.0.conv1.weight": torch.ones(2, 2)})
    assert state_dict(path)["layer1.0.conv1.weight"].sum() == 4


@pytest.mark.parametrize(
    ("phonemes", "version"), [(512, "v1"), (732, "v2"), (732, "v2Pro"), (732, "v2ProPlus")]
)
def test_stages_trained_on_the_same_phonemes_go_together(
    phonemes: int, version: str, s1_file, s2_file
) -> None:
    check_pair(read(s1_file(phonemes)), read(s2_file(version)))


@pytest.mark.parametrize(("phonemes", "version"), [(512, "v2"), (512, "v2Pro"), (732, "v1")])
def test_stages_trained_on_other_phonemes_are_refused_by_name(
    phonemes: int, version: str, s1_file, s2_file
) -> None:
    s1, s2 = read(s1_file(phonemes)), read(s2_file(version))
    with pytest.raises(ModelError, match="different phonemes") as refused:
        check_pair(s1, s2)
    assert str(s1.path) in str(refused.value)
    assert str(s2.path) in str(refused.value)
