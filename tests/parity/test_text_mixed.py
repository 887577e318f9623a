"""Texts in several languages: where upstream cuts them, and how it says the parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import golden
import pytest

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.text.phonemes import Language, Phonemes

CASES = [case for path in golden.cases("get_phones") for case in golden.document(path)]

#: Pronunciations hang on dictionaries; where a text is cut and how it is normalised does not.
EXACT_SHARE = 0.9


def test_the_texts_are_there() -> None:
    assert len(CASES) >= 64


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['lang']}-{case['text'][:12]}")
def test_texts_are_cut_and_normalised_as_upstream_does(case: dict[str, Any]) -> None:
    assert [[part.language, part.norm] for part in _said(case)] == [
        [language if language in get_args(Language) else "en", norm]
        for language, norm, *_ in _last_pass(case)
    ]


def test_nearly_all_texts_sound_as_upstream_says_them() -> None:
    missed = [(case["lang"], case["text"]) for case in CASES if not _is_same(case)]
    assert len(missed) <= (1 - EXACT_SHARE) * len(CASES), f"{len(missed)} of {len(CASES)}: {missed}"


def _is_same(case: dict[str, Any]) -> bool:
    said = _said(case)
    ids = [index for part in said for index in symbols.ids(part.phonemes, "v2")]
    word2ph = [part.word2ph and list(part.word2ph) for part in said]
    return ids == case["ids"] and word2ph == [counts for _, _, counts, _ in _last_pass(case)]


def _last_pass(case: dict[str, Any]) -> list[Any]:
    """Return the parts of what was said; a text that proved too short was begun anew."""
    parts: list[Any] = case["segments"]
    norms = [norm for _, norm, *_ in parts]
    return next(
        parts[start:] for start in range(len(parts)) if "".join(norms[start:]) == case["norm"]
    )


def _said(case: dict[str, Any]) -> list[Phonemes]:
    return FrontEnd("v2", tag=_nouns).phonemize(case["text"], case["lang"])


def _nouns(words: Sequence[str]) -> list[str]:
    """Tag as the golden set's upstream did: without nltk's data, everything was a noun."""
    return ["NN"] * len(words)
