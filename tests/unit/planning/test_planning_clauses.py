"""Long sentences are cut where a reader would breathe."""

from __future__ import annotations

from pipeline.planning.clauses import split


def test_a_sentence_that_fits_is_not_cut() -> None:
    assert split("Short, sweet; whole. ", 20) == ["Short, sweet; whole. "]


def test_a_semicolon_is_a_better_place_than_a_comma() -> None:
    text = "He ran, and he ran; he fell, and he fell again."
    assert split(text, 35) == ["He ran, and he ran; ", "he fell, and he fell again."]


def test_a_comma_is_a_better_place_than_a_space() -> None:
    text = "When the evening came, nobody was left on the quay."
    assert split(text, 40) == ["When the evening came, ", "nobody was left on the quay."]


def test_parts_are_about_equally_long() -> None:
    parts = split("word " * 21 + "word.", 100)
    assert [len(part.split()) for part in parts] == [11, 11]


def test_words_and_numbers_stay_whole() -> None:
    words = ["It", "is", "1,250.75", "km", "or", "3.5", "well-known", "miles,", "O'Brien's", "way"]
    for limit in range(1, 40):
        assert [w for part in split(" ".join(words), limit) for w in part.split()] == words


def test_two_numbers_are_parted_last() -> None:
    assert split("it had 10 000 seats", 10) == ["it had ", "10 000 ", "seats"]


def test_an_abbreviation_stays_with_its_name() -> None:
    assert split("the house of Dr. Eleanor was open", 18) == [
        "the house of ",
        "Dr. Eleanor ",
        "was open",
    ]


def test_a_dash_may_be_followed_by_a_cut_even_without_spaces() -> None:
    assert split("He came home early—nobody had expected it", 30) == [
        "He came home early—",
        "nobody had expected it",
    ]


def test_chinese_is_cut_at_its_own_commas() -> None:
    text = "我们的祖国是花园，花园里花朵真鲜艳；和暖的阳光照耀着我们。"
    assert split(text, 20) == ["我们的祖国是花园，花园里花朵真鲜艳；", "和暖的阳光照耀着我们。"]


def test_chinese_without_commas_is_cut_between_letters_but_not_before_a_mark() -> None:
    parts = split("没有标点的很长的“一句话”用了3.5公斤API接口。", 10)
    assert all(len(part) <= 10 for part in parts)
    assert all(part[0] not in "”。" and part[-1] != "“" for part in parts)
    assert any("3.5" in part for part in parts)
    assert any("API" in part for part in parts)


def test_a_katakana_word_is_not_cut() -> None:
    parts = split("彼はコンピュータゲームを買った", 8)
    assert any("コンピュータゲーム" in part for part in parts)


def test_an_overlong_word_stands_alone() -> None:
    address = "https://example.com/" + "a" * 50
    assert split(f"Go to {address} and read.", 20) == ["Go to ", f"{address} ", "and read."]


def test_words_in_quotation_marks_may_be_parted() -> None:
    assert split('"a" "b" “c” « d »', 5) == ['"a" ', '"b" ', "“c” ", "« d »"]


def test_symbols_between_words_go_with_the_word_before_them() -> None:
    assert split("one * * * two", 5) == ["one * * * ", "two"]
