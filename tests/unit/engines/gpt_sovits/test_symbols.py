from __future__ import annotations

import pytest

from pipeline.engines.gpt_sovits.text import symbols


@pytest.mark.parametrize(("version", "size"), [("v1", 322), ("v2", 732)])
def test_a_table_has_as_many_symbols_as_its_checkpoints_have_embeddings(version, size):
    assert len(set(symbols.table(version))) == len(symbols.table(version)) == size


def test_the_later_table_keeps_the_ids_of_the_earlier():
    assert symbols.table("v2")[:322] == symbols.table("v1")


def test_marks_come_first_and_jyutping_last():
    assert symbols.table("v1")[:5] == ("!", ",", "-", ".", "?")
    assert symbols.table("v2")[322:324] == ("[", "]")
    assert symbols.table("v2")[-1] == "Yz"


def test_a_phoneme_that_the_table_does_not_know_is_unk():
    table = symbols.table("v1")
    assert [table[i] for i in symbols.ids(["n", "i3", "ㅏ"], "v1")] == ["n", "i3", "UNK"]
    assert [table[i] for i in symbols.ids(["♥"], "v2")] == ["UNK"]
