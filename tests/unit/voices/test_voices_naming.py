from __future__ import annotations

import pytest

from pipeline.errors import RequestError
from pipeline.voices import naming


@pytest.mark.parametrize(
    "name", ["Ann", "ann-2", "a_b", "李明", "小明2号", "Zoë", "7of9", "ハナ", "하나"]
)
def test_letters_of_any_script_make_a_name(name: str) -> None:
    assert naming.checked(name, ()) == name


@pytest.mark.parametrize(
    "name", ["", " ", "-x", "_x", "a b", "a/b", "..", "a.b", "a\nb", "x" * 65, "a=b", "a,b", "😀"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="letters, digits"):
        naming.checked(name, ())


@pytest.mark.parametrize(
    "name",
    [
        "63f2473b-65cc-4c37-b19f-6b258b6747aa",
        "b1837f9eb8d7448f864e736227c22928",
        "DF876C5D-FC00-4306-88FF-71707F7E9420",
    ],
)
def test_a_name_does_not_look_like_a_uuid(name: str) -> None:
    with pytest.raises(RequestError, match="UUID"):
        naming.checked(name, ())


@pytest.mark.parametrize("name", ["heart", "Heart", "HEART", " heart "])
def test_a_name_that_is_taken_is_refused_in_any_spelling(name: str) -> None:
    with pytest.raises(RequestError, match="already"):
        naming.checked(name, ["emma", "Heart"])


def test_composed_and_decomposed_letters_are_the_same_name() -> None:
    assert naming.checked("Zoe\u0308", ()) == "Zoë"
    with pytest.raises(RequestError, match="already"):
        naming.checked("Zoe\u0308", ["Zoë"])
