"""Cutting texts: every method, as upstream cuts them."""

from __future__ import annotations

from typing import Any

import golden
import pytest

from pipeline.engines.gpt_sovits.text import split
from pipeline.errors import RequestError

CASES = [case for path in golden.cases("split") for case in golden.document(path)]


def test_the_split_cases_are_there() -> None:
    assert len(CASES) >= 10


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_texts_are_cut_as_upstream_cuts_them(case: dict[str, Any]) -> None:
    compared = {key: _ours(case["text"], key) for key in case if key != "text"}
    assert compared == {key: value for key, value in case.items() if key != "text"}


def _ours(text: str, key: str) -> Any:
    if key.startswith("pre_seg_"):
        method, mode = key.removeprefix("pre_seg_").split("_")
        return _pre_seg(text, mode, method)
    if key == "split_big_text":
        return split.split_big_text(text)
    if key == "replace_consecutive_punctuation":
        return split.replace_consecutive_punctuation(text)
    return split.cut(text, key)


def _pre_seg(text: str, mode: str, method: str) -> Any:
    """Return the pieces; our refusal of a text without words stands for upstream's."""
    try:
        return split.pre_seg(text, mode, method)
    except RequestError:
        return {"error": "ValueError: Please enter valid text."}
