"""Cutting a text into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.gpt_sovits.text.split import (
    LONGEST_PIECE,
    cut,
    merge_short,
    pre_seg,
    replace_consecutive_punctuation,
    split_big_text,
)
from pipeline.errors import RequestError


def test_every_mark_ends_a_piece_but_a_decimal_point() -> None:
    assert pre_seg("Pi is 3.14, isn't it? Yes, it is!", "en", "cut5") == [
        "Pi is 3.14,",
        " isn't it?",
        " Yes,",
        " it is!",
    ]


def test_a_short_opening_gets_a_pause_in_front() -> None:
    assert pre_seg("Oh, what a long sentence.", "en", "cut0") == [".Oh, what a long sentence."]
    assert pre_seg("啊，这是一个很长的句子。", "zh", "cut0") == ["。啊，这是一个很长的句子。"]


def test_a_piece_without_a_mark_gets_one() -> None:
    assert pre_seg("nothing ends here", "en", "cut5") == ["nothing ends here."]
    assert pre_seg("这里没有句号", "zh", "cut5") == ["这里没有句号。"]


def test_short_pieces_join_the_next_one_and_a_short_rest_the_last() -> None:
    assert merge_short(["a,", "b,", "cdefg.", "h!"]) == ["a,b,cdefg.h!"]
    assert merge_short(["abcde,", "fghij.", "k!"]) == ["abcde,", "fghij.k!"]


def test_clauses_are_cut_by_four() -> None:
    assert cut("一，二，三，四，五，六，七，八，九。", "cut1").split("\n") == [
        "一，二，三，四，",
        "五，六，七，八，九。",
    ]


def test_of_repeated_marks_the_first_stays() -> None:
    assert replace_consecutive_punctuation("What?! No... never!!!") == "What? No. never!"


def test_a_text_of_marks_is_refused() -> None:
    with pytest.raises(RequestError, match="nothing that can be said"):
        pre_seg("...", "en", "cut5")


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"'cut9'.*cut0, cut1"):
        pre_seg("Some text.", "en", "cut9")


@given(st.text(alphabet="abc,.。！ ", max_size=2000))
def test_cutting_a_big_text_loses_nothing(text: str) -> None:
    pieces = split_big_text(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= LONGEST_PIECE or "," not in piece[:-1] for piece in pieces)
