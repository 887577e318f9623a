"""Cutting a text into the pieces that are spoken one at a time.

The rules are those of upstream (text_segmentation_method.py and TextPreprocessor.py below
TTS_infer_pack/): what a checkpoint says depends on where its text was cut, so they are kept to the
letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Literal, get_args

from pipeline.errors import RequestError

SplitMethod = Literal["cut0", "cut1", "cut2", "cut3", "cut4", "cut5"]

#: A piece ends in one of these.
CLAUSE_ENDS = "，。？！,.?!~:：—…"
#: More than this overruns the BERT model's 512 positions.
LONGEST_PIECE = 510
#: Shorter pieces are joined to the next one, and shorter openings get a pause in front.
SHORTEST_PIECE, SHORTEST_OPENING = 5, 4

_CUT5_ENDS = ",.;?!、，。？！：…"
_SILENT = set("!?…,.- ")
_CLAUSE_END = re.compile(f"([{re.escape(CLAUSE_ENDS)}])")
_REPEATED = re.compile(r"([!?…,.\-])[!?…,.\-]+")
_SENTENCE_POINT = re.compile(r"(?<!\d)\.(?!\d)")


def pre_seg(text: str, language_mode: str, method: str) -> list[str]:
    """Return the pieces of a text, each with a mark at its end.

    Raises:
        RequestError: The text holds nothing that can be said, or the method does not exist.
    """
    text = text.strip("\n")
    if not text:
        return []
    full_stop = "." if language_mode == "en" else "。"
    if text[0] not in CLAUSE_ENDS and len(_opening(text)) < SHORTEST_OPENING:
        text = full_stop + text
    lines = [line for line in cut(text, method).split("\n") if line not in ("", " ")]
    if not lines:
        raise RequestError(f"{text!r} holds nothing that can be said; give a text with words in it")
    pieces: list[str] = []
    for line in merge_short(lines):
        if not re.search(r"\w", line):
            continue
        piece = line if line[-1] in CLAUSE_ENDS else line + full_stop
        pieces.extend(split_big_text(piece) if len(piece) > LONGEST_PIECE else [piece])
    return pieces


def replace_consecutive_punctuation(text: str) -> str:
    """Return the text with the first of every run of marks."""
    return _REPEATED.sub(r"\1", text)


def merge_short(pieces: list[str], shortest: int = SHORTEST_PIECE) -> list[str]:
    """Join pieces until each has `shortest` characters; what is left goes to the last one."""
    merged: list[str] = []
    pending = ""
    for piece in pieces:
        pending += piece
        if len(pending) >= shortest:
            merged.append(pending)
            pending = ""
    if pending and merged:
        merged[-1] += pending
    elif pending:
        # A lone piece keeps its length; several short ones become one.
        merged.append(pending)
    return merged


def split_big_text(text: str, longest: int = LONGEST_PIECE) -> list[str]:
    """Cut a text at marks into pieces of at most `longest` characters, where marks allow it."""
    pieces: list[str] = []
    current = ""
    for part in _CLAUSE_END.split(text):
        if len(current) + len(part) > longest:
            pieces.append(current)
            current = part
        else:
            current += part
    return [*pieces, current] if current else pieces


def cut(text: str, method: str) -> str:
    """Return the text cut by a method of upstream, one piece a line.

    Raises:
        RequestError: The method does not exist.
    """
    if method not in _METHODS:
        known = ", ".join(get_args(SplitMethod))
        raise RequestError(f"there is no split method {method!r}; choose one of {known}")
    return _METHODS[method](text)


def _opening(text: str) -> str:
    return _CLAUSE_END.split(text, maxsplit=1)[0].strip()


def _clauses(text: str) -> list[str]:
    """Return the clauses of a text, each with the mark that ends it."""
    text = text.replace("……", "。").replace("——", "，")
    if text[-1] not in CLAUSE_ENDS:
        text += "。"
    parts = _CLAUSE_END.split(text)
    return [clause + end for clause, end in zip(parts[::2], parts[1::2], strict=False)]


def _lines(pieces: list[str], silent: set[str] = _SILENT) -> str:
    return "\n".join(piece for piece in pieces if not set(piece) <= silent)


def _whole(text: str) -> str:
    return "\n" if set(text) <= _SILENT else text


def _by_four_clauses(text: str) -> str:
    """Cut after every fourth clause; the last group takes up to eight."""
    text = text.strip("\n")
    clauses = _clauses(text)
    starts = list(range(0, len(clauses), 4))
    if len(starts) < 2:
        return _lines([text])
    bounds = [*starts[:-1], len(clauses)]
    return _lines(["".join(clauses[a:b]) for a, b in pairwise(bounds)])


def _by_fifty_characters(text: str) -> str:
    """Cut after the clause that passes 50 characters; a shorter rest goes to the last piece."""
    text = text.strip("\n")
    clauses = _clauses(text)
    if len(clauses) < 2:
        return text
    pieces = [""]
    for clause in clauses:
        if len(pieces[-1]) > 50:
            pieces.append("")
        pieces[-1] += clause
    if len(pieces) > 1 and len(pieces[-1]) < 50:
        pieces[-2:] = ["".join(pieces[-2:])]
    return _lines(pieces)


def _at_chinese_full_stops(text: str) -> str:
    return _lines(text.strip("\n").strip("。").split("。"))


def _at_points(text: str) -> str:
    return _lines(_SENTENCE_POINT.split(text.strip("\n").strip(".")))


def _at_every_mark(text: str) -> str:
    text = text.strip("\n")
    pieces = [""]
    for index, char in enumerate(text):
        pieces[-1] += char
        if char in _CUT5_ENDS and not _is_decimal_point(text, index):
            pieces.append("")
    return _lines([piece for piece in pieces if piece], set(_CUT5_ENDS))


def _is_decimal_point(text: str, index: int) -> bool:
    around = text[max(index - 1, 0) : index + 2]
    return len(around) == 3 and around[1] == "." and around[0].isdigit() and around[2].isdigit()


_METHODS: dict[str, Callable[[str], str]] = {
    "cut0": _whole,
    "cut1": _by_four_clauses,
    "cut2": _by_fifty_characters,
    "cut3": _at_chinese_full_stops,
    "cut4": _at_points,
    "cut5": _at_every_mark,
}
