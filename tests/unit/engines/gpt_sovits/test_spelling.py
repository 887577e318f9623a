"""Phonemes as people write them in a lexicon."""

from __future__ import annotations

import pytest

from pipeline.engines.gpt_sovits.text import spelling, symbols
from pipeline.errors import RequestError


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("T AH0 M EY1 T OW0", "T AH0 M EY1 T OW0"),
        ("ch ong2 q ing4", "ch ong2 q ing4"),
        ("chong2 qing4", "ch ong2 q ing4"),
        ("  chong2\tqing4 ", "ch ong2 q ing4"),
        ("zhi1 si1", "zh ir1 s i01"),
        ("yuan2 wu3 er2", "y van2 w u3 EE er2"),
        ("EE er2 AA ao4", "EE er2 AA ao4"),
        ("ao4 AO1 er3", "AA ao4 AO1 EE er3"),
        ("mā ma", "m a1 m a5"),
        ("lv4", "l v4"),
        ("chong2 T AH0", "ch ong2 T AH0"),
        ("ni3 , hao3", "n i3 , h ao3"),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_symbols_and_pinyin_are_understood(version: str, spelled: str, expected: str) -> None:
    found = spelling.phonemes(spelled, version)  # type: ignore[arg-type]
    assert found == tuple(expected.split())
    assert symbols.UNKNOWN not in found


@pytest.mark.parametrize(
    ("spelled", "wrong"),
    [
        ("təˈmeɪtoʊ", "təˈmeɪtoʊ"),
        ("T AH0 XX", "XX"),
        ("t ah0", "ah0"),
        ("chong9", "chong9"),
        ("重 qing4", "重"),
        ("2", "2"),
        ("zhx1", "zhx1"),
    ],
)
def test_what_is_neither_is_named_with_examples(spelled: str, wrong: str) -> None:
    with pytest.raises(RequestError, match=f"'{wrong}' in the phonemes '{spelled}'") as refusal:
        spelling.phonemes(spelled, "v2")
    assert "'chong2 qing4'" in str(refusal.value)


@pytest.mark.parametrize("spelled", ["", "  "])
def test_no_phonemes_at_all_would_drop_the_word_and_are_refused(spelled: str) -> None:
    with pytest.raises(RequestError, match="no phonemes"):
        spelling.phonemes(spelled, "v2")


def test_symbols_of_later_languages_are_in_the_later_table_only() -> None:
    assert spelling.phonemes("Yng ㄱ", "v2") == ("Yng", "ㄱ")
    with pytest.raises(RequestError, match="Yng"):
        spelling.phonemes("Yng", "v1")
