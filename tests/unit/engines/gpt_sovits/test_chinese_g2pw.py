"""G2PW with a model of a few characters, which tells 行 by the character before it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.engines.gpt_sovits.text import chinese
from pipeline.engines.gpt_sovits.text.chinese.g2pw import G2PW
from pipeline.errors import ModelError

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"我去銀步行長的."]
POLYPHONES = [("行", "ㄒㄧㄥ2"), ("行", "ㄏㄤ2"), ("長", "ㄔㄤ2"), ("長", "ㄓㄤ3"), ("和", "ㄏㄜ2")]
LABELS = sorted({bopomofo for _, bopomofo in POLYPHONES})
SPELLINGS = {
    "ㄒㄧㄥ": "xing",
    "ㄏㄤ": "hang",
    "ㄔㄤ": "chang",
    "ㄓㄤ": "zhang",
    "ㄏㄜ": "he",
    "ㄨㄛ": "wo",
}
#: After this token the class is likely, whether the character has it or not.
LIKELY = {"銀": "ㄏㄤ2", "步": "ㄒㄧㄥ2", "行": "ㄓㄤ3", "去": "ㄏㄤ2", "[CLS]": "ㄔㄤ2"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in the layout of G2PWModel 1.1."""
    (tmp_path / "POLYPHONIC_CHARS.txt").write_text(lines(POLYPHONES), encoding="utf-8")
    (tmp_path / "MONOPHONIC_CHARS.txt").write_text("我\tㄨㄛ3\n似\tㄨㄛ3\n", encoding="utf-8")
    (tmp_path / "bopomofo_to_pinyin_wo_tune_dict.json").write_text(json.dumps(SPELLINGS))
    (tmp_path / "config.py").write_text("use_mask = True\nuse_char_phoneme = False\nrows = {}\n")
    onnx.save(model(len(LABELS)), tmp_path / "g2pW.onnx")
    return tmp_path


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(TOKENS), encoding="utf-8")
    return folder


def lines(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{character}\t{bopomofo}\n" for character, bopomofo in pairs)


def model(n_classes: int) -> onnx.ModelProto:
    """Scores of the token before the character, where the mask allows a class."""
    scores = np.zeros((len(TOKENS), n_classes), np.float32)
    for token, label in LIKELY.items():
        scores[TOKENS.index(token), LABELS.index(label)] = 1.0
    constants = {
        "scores": scores,
        "one": np.array(1, np.int64),
        "flat": np.array([-1], np.int64),
        "allowed": np.array(10, np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["input_ids", "flat"], ["tokens"]),
        helper.make_node("Sub", ["position_ids", "one"], ["before"]),
        helper.make_node("Gather", ["tokens", "before"], ["token"]),
        helper.make_node("Gather", ["scores", "token"], ["score"]),
        helper.make_node("Mul", ["phoneme_mask", "allowed"], ["bonus"]),
        helper.make_node("Add", ["score", "bonus"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["probs"]),
    ]
    integers = {
        "input_ids": [1, "t"],
        "token_type_ids": [1, "t"],
        "attention_mask": [1, "t"],
        "char_ids": ["n"],
        "position_ids": ["n"],
    }
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name, shape in integers.items()
    ]
    inputs.append(helper.make_tensor_value_info("phoneme_mask", TensorProto.FLOAT, ["n", "c"]))
    output = helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["n", n_classes])
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, [output], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_the_context_decides_between_the_readings_of_a_polyphone(folder: Path, bert: Path) -> None:
    read = G2PW.load(folder, bert)
    assert read("银行.") == ["yin2", "hang2", "."]
    assert read("步行.") == ["bu4", "xing2", "."]
    assert read("银行的行长.")[-3:] == ["hang2", "zhang3", "."]


def test_a_character_gets_none_but_its_own_readings(folder: Path, bert: Path) -> None:
    assert LIKELY["去"] == "ㄏㄤ2"
    assert G2PW.load(folder, bert)("去行去长")[1::2] == ["hang2", "zhang3"]


def test_other_characters_are_read_by_the_tables_or_by_pypinyin(folder: Path, bert: Path) -> None:
    read = G2PW.load(folder, bert)
    assert read("我,") == ["wo3", ","]
    assert read("似,") == ["shi4", ","]  # The table is not asked for this one,
    assert read("和,") == ["he2", ","]  # and for this one the model is not.


def test_a_clause_longer_than_bert_takes_is_read_in_windows(folder: Path, bert: Path) -> None:
    read = G2PW.load(folder, bert)("步行" + "我" * 600 + "银行的")
    assert len(read) == 605
    assert (read[1], read[-2]) == ("xing2", "hang2")


def test_it_is_what_phonemize_asks(folder: Path, bert: Path) -> None:
    said = chinese.phonemize("我去行.", "v2", g2pw=G2PW.load(folder, bert))
    assert said.phonemes[-3:] == ("h", "ang2", ".")
    assert chinese.phonemize("我去行.", "v2").phonemes[-3:] == ("x", "ing2", ".")


def test_the_tokens_may_be_in_a_tokenizer_json(folder: Path, bert: Path) -> None:
    tokens = {token: i for i, token in enumerate(TOKENS)}
    (bert / "vocab.txt").unlink()
    (bert / "tokenizer.json").write_text(json.dumps({"model": {"vocab": tokens}}))
    assert G2PW.load(folder, bert)("银行")[1] == "hang2"


def test_classes_may_be_pairs_of_character_and_reading(folder: Path, bert: Path) -> None:
    pairs = [("行", "ㄏㄤ2"), ("長", "ㄏㄤ2"), ("長", "ㄔㄤ2"), ("行", "ㄒㄧㄥ2"), ("和", "ㄏㄜ2")]
    (folder / "POLYPHONIC_CHARS.txt").write_text(lines(pairs), encoding="utf-8")
    (folder / "config.py").write_text("use_mask = True\nuse_char_phoneme = True\n")
    assert G2PW.load(folder, bert)("银行长") == ["yin2", "hang2", "hang2"]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("POLYPHONIC_CHARS.txt", "行行\tㄏㄤ2", "POLYPHONIC_CHARS.txt, line 1"),
        ("POLYPHONIC_CHARS.txt", "行\tㄏㄤ2", "of different versions"),
        ("MONOPHONIC_CHARS.txt", "我 ㄨㄛ3", "MONOPHONIC_CHARS.txt, line 1"),
        ("bopomofo_to_pinyin_wo_tune_dict.json", "{", "not JSON"),
        ("bopomofo_to_pinyin_wo_tune_dict.json", "[]", "not a table"),
        ("config.py", "use_mask =", "not readable as settings"),
        ("g2pW.onnx", "no model", "ONNX Runtime"),
        ("bert/vocab.txt", "[PAD]\n[UNK]", "it has no [CLS]"),
        ("bert/tokenizer.json", "{}", "not the tokenizer of a BERT"),
    ],
)
def test_a_damaged_file_is_refused_by_name(
    folder: Path, bert: Path, name: str, content: str, complaint: str
) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError) as refusal:
        G2PW.load(folder, bert)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("name", ["POLYPHONIC_CHARS.txt", "config.py", "g2pW.onnx"])
def test_a_missing_file_is_named(folder: Path, bert: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        G2PW.load(folder, bert)


def test_the_settings_are_read_and_not_run(folder: Path, bert: Path) -> None:
    trace = folder / "trace"
    (folder / "config.py").write_text(f"use_mask = True\nopen({str(trace)!r}, 'w').close()\n")
    assert G2PW.load(folder, bert)("银行")[1] == "hang2"
    assert not trace.exists()
