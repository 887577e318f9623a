"""G2PW: which reading of a polyphone its context asks for.

Chen et al., "g2pW: A Conditional Weighted Softmax BERT for Polyphone Disambiguation in Mandarin"
(https://arxiv.org/abs/2203.10430); used as upstream does (text/g2pw/).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import opencc

from pipeline.engines.gpt_sovits.text.chinese import g2pw_tables, pinyin
from pipeline.engines.gpt_sovits.text.chinese.g2pw_tables import Tables
from pipeline.engines.gpt_sovits.text.chinese.simplified import simplify
from pipeline.errors import ModelError

MODELS = ("g2pW.onnx", "g2pw.onnx")

#: Characters that the model sees before the first and after the last polyphone.
_CONTEXT = 16
#: Characters that fit into BERT between its two marks.
_LONGEST = 510
_N_THREADS = 2

_INPUTS = {
    "input_ids",
    "token_type_ids",
    "attention_mask",
    "phoneme_mask",
    "char_ids",
    "position_ids",
}

#: Left to pypinyin, whatever the model's tables say. Traditional, as the model reads.
_NOT_ASKED = set("一不和咋嗲剖差攢倒難奔勁拗肖瘙誒泊听噢")
_NOT_MONOPHONES = set("似攢")


class G2PW:
    """The model with its tables: call it with a text to read."""

    def __init__(self, session: Any, tables: Tables, vocabulary: dict[str, int]) -> None:
        self._session = session
        self._tables = tables
        self._vocabulary = vocabulary
        self._ids = {character: i for i, character in enumerate(tables.candidates)}
        self._traditional = opencc.OpenCC("s2tw")

    @classmethod
    def load(cls, folder: Path, bert: Path) -> G2PW:
        """Read the model from its folder; its tokens are those of the BERT in another.

        Raises:
            ModelError: A file is missing, damaged or belongs to another model.
        """
        tables = g2pw_tables.load(folder)
        return cls(_session(folder, tables), tables, g2pw_tables.vocabulary(bert))

    def __call__(self, text: str) -> list[str]:
        """Return the pinyin of each character of a normalised clause, tone as a digit: zhong1."""
        traditional = self._traditional.convert(text)
        assert len(traditional) == len(text), (text, traditional)
        readings = pinyin.readings(simplify(traditional))
        asked = []
        for i, character in enumerate(traditional):
            if character in self._ids and character not in _NOT_ASKED:
                asked.append(i)
            elif character not in _NOT_MONOPHONES:
                readings[i] = self._tables.monophones.get(character, readings[i])
        for i, reading in zip(asked, self._predict(traditional, asked), strict=True):
            readings[i] = reading or readings[i]
        return readings

    def _predict(self, text: str, asked: list[int]) -> list[str | None]:
        """Return the readings of the polyphones at the asked positions."""
        if not asked:
            return []
        start = max(0, asked[0] - _CONTEXT)
        end = asked[-1] + _CONTEXT + 1
        if end - start <= _LONGEST:
            return self._run(text[start:end], [i - start for i in asked])
        starts = [max(0, min(i - _LONGEST // 2, len(text) - _LONGEST)) for i in asked]
        return [
            self._run(text[start : start + _LONGEST], [i - start])[0]
            for i, start in zip(asked, starts, strict=True)
        ]

    def _run(self, text: str, asked: list[int]) -> list[str | None]:
        """Run the model on one text, [1, T], and several characters of it, [N]."""
        tables, unknown = self._tables, self._vocabulary["[UNK]"]
        tokens = [self._vocabulary.get(token, unknown) for token in ("[CLS]", *text, "[SEP]")]
        mask = np.full((len(asked), len(tables.readings)), float(not tables.is_masked), np.float32)
        for row, i in zip(mask, asked, strict=True):
            row[list(tables.candidates[text[i]])] = 1.0
        inputs = {
            "input_ids": np.array([tokens]),
            "token_type_ids": np.zeros((1, len(tokens)), np.int64),
            "attention_mask": np.ones((1, len(tokens)), np.int64),
            "phoneme_mask": mask,
            "char_ids": np.array([self._ids[text[i]] for i in asked]),
            "position_ids": np.array(asked) + 1,  # [CLS] is at 0.
        }
        probabilities = self._session.run(None, inputs)[0]
        return [tables.readings[best] for best in probabilities.argmax(axis=1)]


def _session(folder: Path, tables: Tables) -> Any:
    path = next((folder / name for name in MODELS if (folder / name).is_file()), None)
    if path is None:
        raise ModelError(f"{folder}: there is no {MODELS[0]} in this folder.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _N_THREADS
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no common class
        raise ModelError(f"{path}: not a model that ONNX Runtime can load ({error}).") from error
    missing = _INPUTS - {given.name for given in session.get_inputs()}
    if missing:
        raise ModelError(f"{path}: not a G2PW model, it has no input {', '.join(sorted(missing))}.")
    n_classes = session.get_outputs()[0].shape[-1]
    if isinstance(n_classes, int) and n_classes != len(tables.readings):
        raise ModelError(
            f"{path}: the model tells {n_classes} readings apart, {g2pw_tables.POLYPHONES} names "
            f"{len(tables.readings)}; the files are of different versions."
        )
    return session
