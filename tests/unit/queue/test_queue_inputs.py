from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError, RequestError
from pipeline.settings import Settings
from producer.queue import inputs


def test_a_folder_is_its_books_in_order_and_what_is_passed_over(tmp_path: Path) -> None:
    for name in ("b.txt", "a.EPUB", "sub/c.md", "cover.jpg", ".hidden/d.md", ".e.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = inputs.books(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == [
        "a.EPUB",
        "b.txt",
        "sub/c.md",
    ]
    assert [path.name for path in found.skipped] == ["cover.jpg"]


def test_a_folder_without_books_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cover.jpg").touch()
    with pytest.raises(InputError, match=r"no book in this folder.*\.epub"):
        inputs.books(tmp_path)


def test_a_file_is_at_hand_where_it_is(tmp_path: Path) -> None:
    with inputs.at_hand(str(tmp_path / "a.md"), Settings()) as path:
        assert path == tmp_path / "a.md"


@pytest.mark.parametrize("url", ["ftp://host/a.md", "file:///etc/passwd", "gopher://host/"])
def test_other_kinds_of_addresses_are_refused(url: str) -> None:
    with (
        pytest.raises(RequestError, match="are not fetched"),
        inputs.at_hand(url, Settings()),
    ):
        pass


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/books/"])
def test_an_address_that_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="names no object"), inputs.at_hand(url, Settings()):
        pass


@pytest.mark.parametrize("url", ["s3://bucket/../secrets/a.md", "s3://bucket/a/../../b.md"])
def test_a_key_cannot_lead_elsewhere(url: str) -> None:
    refused = pytest.raises(RequestError, match="no empty part")
    with refused, inputs.at_hand(url, Settings()):
        pass


def test_only_allowed_buckets_are_read() -> None:
    settings = Settings(store_url="s3://own", allowed_buckets=("books",))
    with (
        pytest.raises(RequestError, match="VOXMILL_ALLOWED_BUCKETS"),
        inputs.at_hand("s3://other/a.md", settings),
    ):
        pass
