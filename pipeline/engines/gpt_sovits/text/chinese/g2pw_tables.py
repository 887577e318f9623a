"""The text files beside the G2PW model: what its inputs and outputs mean.

Layout of `G2PWModel/` 1.1, as upstream downloads it (text/g2pw/onnx_api.py).
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError

POLYPHONES = "POLYPHONIC_CHARS.txt"
MONOPHONES = "MONOPHONIC_CHARS.txt"
SPELLINGS = "bopomofo_to_pinyin_wo_tune_dict.json"
CONFIG = "config.py"

_REMEDY = "Get G2PWModel 1.1 again, or render without it."


@dataclass(frozen=True, slots=True)
class Tables:
    """What the model knows, in the order of its classes."""

    #: Class → pinyin with its tone as a digit; None where the spelling is not known.
    readings: tuple[str | None, ...]
    #: Polyphonic character → its classes; its place in the order is the model's id for it.
    candidates: dict[str, tuple[int, ...]]
    #: Other character → its one reading.
    monophones: dict[str, str]
    #: Whether the model is told which classes a character has.
    is_masked: bool


def load(folder: Path) -> Tables:
    """Read the tables of a model folder.

    Raises:
        ModelError: A file is missing or not what it should be.
    """
    settings = _settings(folder / CONFIG)
    spellings = _spellings(folder / SPELLINGS)
    pairs = _pairs(folder / POLYPHONES)
    by_character = bool(settings.get("use_char_phoneme", False))

    def label(character: str, bopomofo: str) -> str:
        return f"{character} {bopomofo}" if by_character else bopomofo

    labels = sorted({label(*pair) for pair in pairs})
    classes = {name: i for i, name in enumerate(labels)}
    candidates = defaultdict(list)
    for pair in sorted(pairs):
        candidates[pair[0]].append(classes[label(*pair)])
    return Tables(
        readings=tuple(_pinyin(name.split(" ")[-1], spellings) for name in labels),
        candidates={character: tuple(found) for character, found in candidates.items()},
        monophones={
            character: reading
            for character, bopomofo in _pairs(folder / MONOPHONES)
            if (reading := _pinyin(bopomofo, spellings))
        },
        is_masked=bool(settings.get("use_mask", True)),
    )


def vocabulary(folder: Path) -> dict[str, int]:
    """Read the token ids of the BERT in a folder, in the transformers library's layout.

    Raises:
        ModelError: The folder has no tokenizer of BERT's kind.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        path = folder / "vocab.txt"
    try:
        tokens = _tokens(path)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not the tokenizer of a BERT ({error!r}).") from error
    if missing := {"[UNK]", "[CLS]", "[SEP]"} - tokens.keys():
        raise ModelError(f"{path}: not the tokenizer of a BERT, it has no {min(missing)}.")
    return tokens


def _tokens(path: Path) -> dict[str, int]:
    if path.suffix == ".json":
        return dict(json.loads(_text(path))["model"]["vocab"])
    return {token: i for i, token in enumerate(_text(path).splitlines())}


def _pinyin(bopomofo: str, spellings: dict[str, str]) -> str | None:
    """ㄓㄨㄥ1 → zhong1."""
    spelling = spellings.get(bopomofo[:-1])
    return spelling + bopomofo[-1] if spelling else None


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Read lines of a character, a tab and bopomofo with its tone as a digit."""
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(_text(path).strip().split("\n"), start=1):
        character, _, bopomofo = line.strip().partition("\t")
        if len(character) != 1 or bopomofo[-1:] not in tuple("12345"):
            raise ModelError(
                f"{path}, line {number}: {line[:40]!r} is not a character and its reading, "
                f"as in '中\\tㄓㄨㄥ1'. {_REMEDY}"
            )
        pairs.append((character, bopomofo))
    return pairs


def _spellings(path: Path) -> dict[str, str]:
    try:
        spellings = json.loads(_text(path))
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error}). {_REMEDY}") from error
    if not isinstance(spellings, dict):
        raise ModelError(f"{path}: not a table of bopomofo and pinyin. {_REMEDY}")
    return spellings


def _settings(path: Path) -> dict[str, Any]:
    """Read `name = literal` lines of a Python file, without running it."""
    try:
        tree = ast.parse(_text(path))
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{path}: not readable as settings ({error}). {_REMEDY}") from error
    settings: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            settings |= dict.fromkeys(names, node.value.value)
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: the file cannot be read ({error}). {_REMEDY}") from error
