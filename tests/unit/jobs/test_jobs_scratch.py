from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.jobs import scratch


def test_a_folder_is_one_s_own_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch.held(tmp_path) as one, scratch.held(tmp_path) as other:
        assert one != other
        (one / "takes").mkdir()
        assert one.is_dir(), "the second has left the first alone"
    assert not list(tmp_path.iterdir())


def test_a_folder_is_removed_when_the_work_fails(tmp_path: Path) -> None:
    def work() -> None:
        with scratch.held(tmp_path) as folder:
            (folder / "takes").mkdir()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert not list(tmp_path.iterdir())


def die_in(folder: Path) -> None:
    with scratch.held(folder) as own:
        (own / "takes").write_bytes(b"x")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=die_in, args=(tmp_path,))
    process.start()
    process.join()
    (left,) = tmp_path.iterdir()
    with scratch.held(tmp_path):
        assert not left.exists()


def test_what_is_not_a_book_s_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / f"{scratch.PREFIX}without-a-lock").mkdir()
    with scratch.held(tmp_path):
        pass
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"), scratch.held(tmp_path / "file" / "below"):
        pass
