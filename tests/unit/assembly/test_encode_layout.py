from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly.delivery.layout import book_folder, chapter_names, safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Moby-Dick; or, The Whale", "Moby-Dick; or, The Whale"),
        ("2001: A Space Odyssey", "2001 - A Space Odyssey"),
        ("Either/Or", "Either-Or"),
        ('What "is" <this>?', "What 'is' (this)"),
        ("红楼梦", "红楼梦"),
        ("Etc. ...", "Etc"),
        (".hidden", "hidden"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("tab\there\x00\x1b[0m", "tab here[0m"),
        ("CON", "CON_"),
        ("aux.txt", "aux_.txt"),
        ("Console", "Console"),
        ("...", "Untitled"),
        ("", "Untitled"),
    ],
)
def test_names_keep_what_file_systems_allow(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text(max_size=400))
def test_every_text_becomes_a_name_that_any_system_takes(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name.encode()) <= 201
    assert not set(name) & set('/\\:*?"<>|')
    assert not name.endswith((" ", "."))
    assert not name.startswith((" ", "."))
    assert all(unicodedata.category(character) != "Cc" for character in name)


def test_a_long_name_is_cut_between_characters() -> None:
    name = safe_name("灯" * 100)
    assert name == "灯" * 66


def test_a_book_lies_under_its_author(tmp_path: Path) -> None:
    folder = book_folder(tmp_path, "A. N. Author", "The Lamp")
    assert folder == tmp_path / "A. N. Author" / "The Lamp"


def test_a_book_without_author_lies_under_unknown(tmp_path: Path) -> None:
    assert book_folder(tmp_path, None, "The Lamp").parent.name == "Unknown author"


def test_two_books_of_one_name_get_two_folders(tmp_path: Path) -> None:
    first = book_folder(tmp_path, "Me", "The Lamp")
    second = book_folder(tmp_path, "Me", "the lamp", taken=[first])
    third = book_folder(tmp_path, "Me", "The Lamp", taken=[first, second])
    assert [p.name for p in (first, second, third)] == ["The Lamp", "the lamp (2)", "The Lamp (3)"]


def test_chapter_files_sort_as_they_are_read() -> None:
    names = chapter_names([f"Part {n}" for n in range(1, 121)])
    assert names == sorted(names)
    assert names[0] == "001 - Part 1"


def test_a_chapter_without_title_is_named_by_its_number() -> None:
    assert chapter_names(["Start", "?"]) == ["01 - Start", "02 - Chapter 2"]
