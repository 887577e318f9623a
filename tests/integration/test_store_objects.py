"""What every store promises, shown by a folder and by a real S3 server."""

from __future__ import annotations

import hashlib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from functools import partial
from pathlib import Path

import pytest

from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore
from pipeline.store.s3 import S3Store

#: More than a listing and a removal take in one request.
MANY = 1_050
#: Goes to S3 in five parts.
LARGE_BYTES = 65_000_001


@pytest.fixture(params=["folder", "bucket", "prefix of a bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return LocalStore(tmp_path / "store")
    bucket: S3Store = request.getfixturevalue("s3")
    return bucket if request.param == "bucket" else bucket.below("some/where")


def test_an_object_comes_back_as_it_was_put(store: ObjectStore) -> None:
    for data in (b"one", b"", bytes(range(256)) * 1000):
        store.put("jobs/1/plan.json", data)
        assert store.get("jobs/1/plan.json") == data


def test_what_is_not_there_is_none(store: ObjectStore) -> None:
    assert store.get("jobs/1/plan.json") is None
    assert store.stat("jobs/1/plan.json") is None
    assert not store.exists("jobs/1/plan.json")
    assert list(store.names("jobs")) == list(store.folders("jobs")) == []
    store.delete("jobs/1/plan.json")
    store.delete_all("jobs")


def test_a_prefix_is_no_object(store: ObjectStore) -> None:
    store.put("jobs/1/plan.json", b"1")
    assert not store.exists("jobs/1")
    assert store.exists("jobs/1/plan.json")


def test_only_the_first_conditional_write_succeeds(store: ObjectStore) -> None:
    assert store.put_new("jobs/1/result.json", b"first")
    assert not store.put_new("jobs/1/result.json", b"second")
    assert store.get("jobs/1/result.json") == b"first"


def test_of_many_writes_at_once_one_succeeds_and_is_there(store: ObjectStore) -> None:
    rivals = [b"rival %d" % number for number in range(24)]
    with ThreadPoolExecutor(len(rivals)) as pool:
        for race in range(5):
            name = f"jobs/{race}/result.json"
            won = list(pool.map(partial(store.put_new, name), rivals))
            assert won.count(True) == 1
            assert store.get(name) == rivals[won.index(True)]


def test_an_object_is_known_without_being_read(store: ObjectStore) -> None:
    store.put("a/b.json", b"{}")
    found = store.stat("a/b.json")
    assert found is not None
    assert (found.size_bytes, found.sha256) == (2, hashlib.sha256(b"{}").hexdigest())


@pytest.mark.parametrize("size_bytes", [0, 1000, LARGE_BYTES])
def test_a_file_becomes_an_object_once(store: ObjectStore, tmp_path: Path, size_bytes: int) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"1" * size_bytes)
    second.write_bytes(b"2" * size_bytes + b"2")
    put = partial(store.put_file, "out/book.flac", content_type="audio/flac")
    assert put(first, metadata={"job": "1"})
    assert not put(second, metadata={})
    found = store.stat("out/book.flac")
    assert found is not None
    assert (found.size_bytes, found.content_type) == (size_bytes, "audio/flac")
    assert found.sha256 == hashlib.sha256(first.read_bytes()).hexdigest()
    assert store.get("out/book.flac") == first.read_bytes()


def test_of_large_files_at_once_one_is_there_whole(store: ObjectStore, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode() * LARGE_BYTES)
    put = partial(store.put_file, "out/book.flac", content_type="audio/flac", metadata={})
    with ThreadPoolExecutor(len(paths)) as pool:
        won = list(pool.map(lambda path: put(path=path), paths))
    found = store.get("out/book.flac")
    assert found in [path.read_bytes() for path, is_ours in zip(paths, won, strict=True) if is_ours]


def test_the_names_of_a_folder_come_in_order_and_only_those_below(store: ObjectStore) -> None:
    names = ["jobs/1/b", "jobs/1/a/z", "jobs/1-2/x", "jobs/10/x", "jobs/1/Ä", "jobs.lock"]
    for name in names:
        store.put(name, b"")
    assert list(store.names("jobs/1")) == ["jobs/1/a/z", "jobs/1/b", "jobs/1/Ä"]
    assert sorted(store.names("jobs")) == sorted(name for name in names if name != "jobs.lock")
    assert list(store.folders("jobs")) == ["1", "1-2", "10"]
    assert list(store.folders("jobs/1")) == ["a"]


def test_thousands_are_listed_and_removed(store: ObjectStore) -> None:
    names = [f"jobs/1/done/{number:05d}.json" for number in range(MANY)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.put(name, b""), [*names, "jobs/12/plan.json"]))
    assert list(store.names("jobs/1")) == names
    store.delete_all("jobs/1")
    assert list(store.names("jobs")) == ["jobs/12/plan.json"]


def test_a_store_below_another_has_its_own_names(store: ObjectStore) -> None:
    below = store.below("tenants/acme")
    below.put("jobs/1/plan.json", b"1")
    assert list(below.names("jobs")) == ["jobs/1/plan.json"]
    assert store.get("tenants/acme/jobs/1/plan.json") == b"1"
    assert below.place("x") == store.place("tenants/acme/x")
    assert store.get("jobs/1/plan.json") is None


@pytest.mark.parametrize(
    "name",
    ["a b", "第一章 “灯”", "a+b%20c", 'x"y', "it's", "a&b<c>", "#?;=@$,", "🦊", "é", ".hidden"],
)
def test_a_title_may_be_a_name(store: ObjectStore, name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"sound")
    store.put_file(f"out/{name}/{name}.flac", path, content_type="audio/flac", metadata={})
    assert store.get(f"out/{name}/{name}.flac") == b"sound"
    assert list(store.names("out")) == [f"out/{name}/{name}.flac"]
    assert list(store.folders("out")) == [name]
    assert _opened(store.link(f"out/{name}/{name}.flac", 60))[0] == b"sound"
    store.delete_all(f"out/{name}")
    assert not store.exists(f"out/{name}/{name}.flac")


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a//b", ".", "", "a/"])
def test_a_name_cannot_lead_out_of_the_store(store: ObjectStore, name: str) -> None:
    for use in (store.get, store.exists, store.delete, store.delete_all, store.place, store.below):
        with pytest.raises(AssertionError):
            use(name)
    with pytest.raises(AssertionError):
        store.put(name, b"")
    with pytest.raises(AssertionError):
        list(store.names(name))


def test_a_link_tells_browsers_the_files_own_name(s3: S3Store) -> None:
    s3.put("out/第一章.flac", b"sound")
    told = _opened(s3.link("out/第一章.flac", 60))[1]["Content-Disposition"]
    assert (
        told == "inline; filename=\"___.flac\"; filename*=UTF-8''%E7%AC%AC%E4%B8%80%E7%AB%A0.flac"
    )


def test_metadata_is_kept_with_a_file(s3: S3Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"sound")
    s3.put_file("a", path, content_type="audio/flac", metadata={"job": "1"})
    told = s3.client.head_object(Bucket=s3.bucket, Key="a")["Metadata"]
    assert told == {"job": "1", "sha256": hashlib.sha256(b"sound").hexdigest()}


def _opened(link: str) -> tuple[bytes, Message]:
    with urllib.request.urlopen(link) as answer:  # noqa: S310 - the store's own address
        return answer.read(), answer.headers
