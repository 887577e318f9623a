"""Digests of large files are computed once, and again when a file changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.models import digests, files


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "模型.ckpt"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read to their end, in order."""
    found: list[Path] = []
    sha256: Callable[[Path], str] = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: found.append(path) or sha256(path))
    return found


def test_a_file_is_read_once(model: Path, read: list[Path], tmp_path: Path) -> None:
    expected = hashlib.sha256(b"weights").hexdigest()
    assert [digests.sha256(model, tmp_path / "memory") for _ in range(3)] == 3 * [expected]
    assert read == [model]


def test_a_changed_file_is_read_again(model: Path, read: list[Path], tmp_path: Path) -> None:
    digests.sha256(model, tmp_path)
    model.write_bytes(b"other weights")
    assert digests.sha256(model, tmp_path) == hashlib.sha256(b"other weights").hexdigest()
    assert read == [model, model]


def test_a_file_of_the_same_size_and_another_time_is_read_again(
    model: Path, read: list[Path], tmp_path: Path
) -> None:
    digests.sha256(model, tmp_path)
    before = model.stat()
    model.write_bytes(b"WEIGHTS")
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert digests.sha256(model, tmp_path) == hashlib.sha256(b"WEIGHTS").hexdigest()


def test_files_of_the_same_name_are_not_mixed_up(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s1.ckpt").write_bytes(folder.encode())
    found = [digests.sha256(tmp_path / name / "s1.ckpt", tmp_path) for name in ("one", "two")]
    assert found == [hashlib.sha256(name).hexdigest() for name in (b"one", b"two")]
    assert len(json.loads((tmp_path / digests.MEMORY).read_text(encoding="utf-8"))) == 2


@pytest.mark.parametrize(
    "memory", ["", "{", "[]", "[1]", '{"a": 1}', '{"a": [1]}', "\ufffd", "null"]
)
def test_a_damaged_memory_is_written_anew(
    memory: str, model: Path, read: list[Path], tmp_path: Path
) -> None:
    (tmp_path / digests.MEMORY).write_text(memory, encoding="utf-8")
    for _ in range(2):
        assert digests.sha256(model, tmp_path) == hashlib.sha256(b"weights").hexdigest()
    assert read == [model]


def test_a_memory_that_cannot_be_written_costs_time_only(
    model: Path, read: list[Path], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    for _ in range(2):
        assert digests.sha256(model, blocked / "folder") == hashlib.sha256(b"weights").hexdigest()
    assert len(read) == 2


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digests.sha256(tmp_path / "none.ckpt", tmp_path)


def test_nothing_half_written_is_left(model: Path, tmp_path: Path) -> None:
    digests.sha256(model, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {model.name, digests.MEMORY}
