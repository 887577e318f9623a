from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StorageError
from pipeline.store.local import LocalStore


def test_an_object_comes_back_as_it_was_put(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("jobs/1/plan.json", b"one")
    assert store.get("jobs/1/plan.json") == b"one"
    store.put("jobs/1/plan.json", b"two")
    assert store.get("jobs/1/plan.json") == b"two"


def test_a_missing_object_is_none(tmp_path: Path) -> None:
    assert LocalStore(tmp_path / "nowhere").get("jobs/1/plan.json") is None


def test_only_the_first_of_two_conditional_writes_wins(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.put_new("jobs/1/result.json", b"first")
    assert not store.put_new("jobs/1/result.json", b"second")
    assert store.get("jobs/1/result.json") == b"first"


def test_names_lists_objects_in_order_and_never_half_written_ones(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for name in ("chunks/b/2.flac", "chunks/a/1.flac"):
        store.put(name, b"x")
    (tmp_path / "chunks" / "a" / "tmp123.part").write_bytes(b"half")
    assert list(store.names("chunks")) == ["chunks/a/1.flac", "chunks/b/2.flac"]


def test_writing_leaves_no_temporary_files(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a/b", b"x")
    store.put_new("a/b", b"y")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["b"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a//b", "."])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError):
        LocalStore(tmp_path).put(name, b"x")


def test_a_full_disk_says_so_and_keeps_the_old_object() -> None:
    # /dev/full cannot hold a folder; a tiny tmpfs needs root. A limit on the file size makes the
    # kernel refuse a write in the same way.
    pid = os.fork()
    if pid == 0:
        os._exit(_write_beyond_the_limit())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _write_beyond_the_limit() -> int:
    import resource
    import signal
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        store.put("a", b"old")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            store.put("a", b"x" * 5000)
        except StorageError:
            return 0 if store.get("a") == b"old" else 2
        return 1


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,4}(/[a-z0-9]{1,4}){0,2}\.x", fullmatch=True),
        st.binary(max_size=64),
        max_size=8,
    )
)
def test_every_object_put_is_listed_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, objects: dict[str, bytes]
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    for name, data in objects.items():
        store.put("all/" + name, data)
    assert {n.removeprefix("all/"): store.get(n) for n in store.names("all")} == objects


def test_deleting_all_below_a_prefix_leaves_neither_folders_nor_half_written_files(
    tmp_path: Path,
) -> None:
    store = LocalStore(tmp_path)
    for name in ("voices/a/clip", "voices/a/prompts/1", "voices/ab/clip"):
        store.put(name, b"x")
    (tmp_path / "voices" / "a" / "tmp123.part").write_bytes(b"half")
    store.delete_all("voices/a")
    store.delete_all("voices/nowhere")
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == [
        "voices",
        "voices/ab",
        "voices/ab/clip",
    ]
