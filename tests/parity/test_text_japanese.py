"""Japanese text: phonemes and pitch marks, as upstream makes them."""

from __future__ import annotations

from typing import Any

import golden
import pytest

from pipeline.engines.gpt_sovits.text import japanese, symbols

SENTENCES = {
    golden.name(path): golden.document(path).get("ja_v2", []) for path in golden.cases("clean_text")
}

#: Open JTalk's dictionary is packed in several editions, which differ in some accents.
EXACT_SHARE = 0.9


@pytest.mark.parametrize("cases", SENTENCES.values(), ids=SENTENCES)
def test_sentences_sound_as_upstream_says_them(cases: list[dict[str, Any]]) -> None:
    missed = [case["text"] for case in cases if not _is_same(case)]
    assert cases
    assert len(missed) <= (1 - EXACT_SHARE) * len(cases), f"{len(missed)} of {len(cases)}: {missed}"


def _is_same(case: dict[str, Any]) -> bool:
    said = japanese.phonemize(case["text"], "v2")
    return said.norm == case["norm"] and symbols.ids(said.phonemes, "v2") == case["ids"]
