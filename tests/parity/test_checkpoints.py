"""Checkpoints that upstream wrote, or that are written as it writes them, are read exactly."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path

import golden
import pytest
import torch
import weights

from pipeline.engines.gpt_sovits.checkpoint.container import read

#: What upstream writes over the first two bytes of newer versions.
TAGS = {"v2Pro": b"05", "v2ProPlus": b"06"}


@pytest.mark.parametrize("path", golden.cases("semantic"), ids=golden.name)
def test_a_gpt_model_that_upstream_wrote_is_read(path: Path) -> None:
    found = read(path, expect="s1")
    embedding = found.weights["model.ar_text_embedding.word_embeddings.weight"]
    assert embedding.dtype == torch.float16
    assert embedding.shape[0] == found.config["model"]["phoneme_vocab_size"]
    assert found.version == {512: "v1", 732: "v2"}[embedding.shape[0]]
    assert found.info.startswith("GPT-e")


@pytest.mark.parametrize("path", golden.cases("sovits"), ids=golden.name)
def test_a_sovits_model_is_told_by_its_weights_and_read_bit_for_bit(
    path: Path, tmp_path: Path
) -> None:
    case = golden.document(path)
    drawn = weights.checkpoint(case["shapes"], case["seed"], half=True)
    stored = {name: torch.from_numpy(value).half() for name, value in drawn.items()}
    contents = OrderedDict(weight=stored, config=case["config"], info="1epoch_1iteration")
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    data, tag = buffer.getvalue(), TAGS.get(case["version"], b"PK")
    file = tmp_path / "model.pth"
    file.write_bytes(tag + data[2:])
    found = read(file, expect="s2")
    assert found.version == case["version"]
    assert found.config == case["config"]
    assert found.weights.keys() == stored.keys()
    assert all(torch.equal(found.weights[name], stored[name]) for name in stored)
