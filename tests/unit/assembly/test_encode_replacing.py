from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipeline.assembly.delivery.replacing import replacing, write_text
from pipeline.errors import StorageError


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "Author" / "book.srt"
    write_text(target, "old")
    write_text(target, "new")
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file_and_no_half_of_the_new(tmp_path: Path) -> None:
    target = tmp_path / "book.m4b"
    write_text(target, "old")

    def run_full() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="disk is full"):
        run_full()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_crash_left_behind_is_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "book.m4b"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        left_behind = temporary
    left_behind.write_text("left by a crash")
    write_text(target, "again")
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_near_the_limit_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".m4b")
    write_text(target, "whole")
    assert target.read_text() == "whole"
