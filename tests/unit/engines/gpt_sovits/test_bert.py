from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from pipeline.engines.gpt_sovits.features.bert import Bert
from pipeline.engines.gpt_sovits.text.phonemes import Language, Phonemes
from pipeline.errors import EngineError, ModelError

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", ".", "…", *"今天气很好我们去公园"]
CONFIG = {
    "hidden_size": 1024,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
    "vocab_size": len(TOKENS),
}


@pytest.fixture(scope="module")
def original() -> BertForMaskedLM:
    torch.manual_seed(1)
    return BertForMaskedLM(BertConfig(**CONFIG)).eval()


@pytest.fixture
def folder(original: BertForMaskedLM, tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS), encoding="utf-8")
    _write_config(tmp_path, CONFIG)
    state = {key: value.clone() for key, value in original.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "model.safetensors")
    return tmp_path


def test_the_features_are_the_last_layers_but_two(folder: Path, original: BertForMaskedLM) -> None:
    tokens = AutoTokenizer.from_pretrained(folder)("今天,好.", return_tensors="pt")
    with torch.no_grad():
        states = original(**tokens, output_hidden_states=True).hidden_states[-3][0]
    [found] = Bert.load(folder).features([_chinese("今天,好.")])
    expected = states[[1, 1, 2, 2, 3, 4, 4, 5]].T
    assert found.shape == (1024, 8)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_batch_is_read_as_its_texts_one_by_one(folder: Path) -> None:
    bert = Bert.load(folder)
    pieces = [
        _chinese("好"),
        _chinese("今天天气很好,我们去公园."),
        _other("en", 7),
        _chinese("我们…"),
    ]
    for piece, together in zip(pieces, bert.features(pieces), strict=True):
        [alone] = bert.features([piece])
        assert together.shape == (1024, len(piece.phonemes))
        assert torch.allclose(together, alone, atol=1e-5)


def test_other_languages_have_zeros(folder: Path) -> None:
    english, japanese = Bert.load(folder).features([_other("en", 4), _other("ja", 0)])
    assert english.shape == (1024, 4)
    assert japanese.shape == (1024, 0)
    assert not english.any()


def test_no_pieces_have_no_features(folder: Path) -> None:
    assert Bert.load(folder).features([]) == []


def test_an_unknown_character_is_read_as_one(folder: Path) -> None:
    [found] = Bert.load(folder).features([_chinese("今龘天")])
    assert found.shape == (1024, 6)


@pytest.mark.parametrize("norm", ["今天 好", "今天ok", "12好"])
def test_a_text_of_which_bert_reads_other_pieces_is_refused(folder: Path, norm: str) -> None:
    with pytest.raises(EngineError, match=norm):
        Bert.load(folder).features([_chinese(norm)])


def test_the_longest_text_fits_and_a_longer_one_is_refused(folder: Path) -> None:
    bert = Bert.load(folder)
    assert bert.features([_chinese("好" * 30)])[0].shape == (1024, 60)
    with pytest.raises(EngineError, match="at most 30 characters"):
        bert.features([_chinese("好" * 31)])


def test_a_model_can_be_of_half_precision(folder: Path) -> None:
    bert = Bert.load(folder, dtype=torch.bfloat16)
    found = bert.features([_chinese("好"), _other("en", 2)])
    assert [each.dtype for each in found] == [torch.bfloat16] * 2


def test_files_with_the_librarys_older_names_are_read(
    folder: Path, original: BertForMaskedLM
) -> None:
    [expected] = Bert.load(folder).features([_chinese("公园")])
    (folder / "model.safetensors").unlink()
    state = {
        key.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): value
        for key, value in original.state_dict().items()
    }
    state["bert.embeddings.position_ids"] = torch.arange(32)[None]
    torch.save(state, folder / "pytorch_model.bin")
    [found] = Bert.load(folder).features([_chinese("公园")])
    assert torch.equal(found, expected)


def test_the_newer_form_of_a_tokenizer_suffices(folder: Path) -> None:
    [expected] = Bert.load(folder).features([_chinese("公园")])
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    for path in (folder / "vocab.txt", folder / "tokenizer_config.json"):
        path.unlink()
    [found] = Bert.load(folder).features([_chinese("公园")])
    assert torch.equal(found, expected)


def test_a_damaged_tokenizer_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="tokenizer"):
        Bert.load(folder)


def test_a_model_too_shallow_is_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"num_hidden_layers": 1})
    with pytest.raises(ModelError, match="1 layers"):
        Bert.load(folder)


def test_a_model_that_lacks_a_layer_is_refused(folder: Path) -> None:
    _write_config(folder, CONFIG | {"num_hidden_layers": 6})
    with pytest.raises(ModelError, match=r"encoder\.layer\.3.*are missing"):
        Bert.load(folder)


def test_loading_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Bert.load(folder)
    assert capfd.readouterr() == ("", "")


def _chinese(norm: str) -> Phonemes:
    word2ph = tuple(1 if char in ",.…" else 2 for char in norm)
    return Phonemes("zh", norm, ("a",) * sum(word2ph), word2ph)


def _other(language: Language, n_phonemes: int) -> Phonemes:
    return Phonemes(language, "text", ("AA1",) * n_phonemes)


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    stored = json.dumps(config | {"model_type": "bert"})
    (folder / "config.json").write_text(stored, encoding="utf-8")
