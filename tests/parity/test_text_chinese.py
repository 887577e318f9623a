"""Chinese text: normalised text and phonemes, as upstream makes them.

A case's `g2pw_stub` is what stood in for the G2PW model: clauses and the pinyin of each character.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import golden
import pytest

from pipeline.engines.gpt_sovits.text import chinese, symbols
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion

#: List of the document → the variant of its items, None where an item is one itself.
LISTS = {
    "zh_v1": ("zh_v1", None),
    "zh_v2": ("zh_v2", "pypinyin"),
    "zh_v2_g2pw": ("zh_v2", "g2pw"),
}

#: Where upstream drops 〇 we say 零; and a word of rare characters may be cut elsewhere.
EXACT_SHARE = 0.9


def cases(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    key, variant = LISTS[name]
    return [item[variant] if variant else item for item in document.get(key, [])]


SENTENCES = {
    (path, name): cases(golden.document(path), name)
    for path in golden.cases("clean_text")
    for name in LISTS
}


@pytest.mark.parametrize("name", LISTS)
def test_the_sentences_are_there(name: str) -> None:
    assert sum(len(found) for (_, other), found in SENTENCES.items() if other == name) > 0


@pytest.mark.parametrize(
    ("name", "found"),
    [(name, found) for (_, name), found in SENTENCES.items()],
    ids=[f"{golden.name(path)}-{name}" for path, name in SENTENCES],
)
def test_sentences_sound_as_upstream_says_them(name: str, found: list[dict[str, Any]]) -> None:
    version: SymbolVersion = "v1" if name == "zh_v1" else "v2"
    differences = [line for case in found if (line := difference(case, version))]
    share = 1 - len(differences) / max(1, len(found))
    assert share >= EXACT_SHARE, f"{share:.1%} of {len(found)} exact\n" + "\n".join(differences)


def difference(case: dict[str, Any], version: SymbolVersion) -> str:
    """Return what differs from upstream, nothing if nothing does."""
    said = chinese.phonemize(case["text"], version, g2pw=reader(case))
    ours = {
        "norm": said.norm,
        "phones": list(said.phonemes),
        "ids": symbols.ids(said.phonemes, version),
        "word2ph": list(said.word2ph or ()),
    }
    differing = [f"{key} {ours[key]} ≠ {case[key]}" for key in ours if ours[key] != case[key]]
    return f"{case['text']}: {'; '.join(differing)}" if differing else ""


def reader(case: dict[str, Any]) -> Callable[[str], Sequence[str]] | None:
    recorded = dict(case.get("g2pw_stub", []))
    return recorded.__getitem__ if recorded else None
