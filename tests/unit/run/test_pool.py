from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import CrashError, InputError
from pipeline.run.pool import Pool


def start_doubling() -> Callable[[int], int]:
    return lambda n: 2 * n


def start_dying_on_seven() -> Callable[[int], int]:
    def work(n: int) -> int:
        if n == 7:
            os._exit(9)
        return n

    return work


class DieOnce:
    """Dies the first time it sees a task; a file remembers."""

    def __init__(self, memory: Path) -> None:
        self.memory = memory

    def __call__(self) -> Callable[[int], int]:
        def work(n: int) -> int:
            if not self.memory.exists():
                self.memory.touch()
                os._exit(9)
            return n

        return work


def start_dying_at_once() -> Callable[[int], int]:
    os._exit(9)


class StartOnSecondTry:
    """Dies at its first start; a file remembers."""

    def __init__(self, memory: Path) -> None:
        self.memory = memory

    def __call__(self) -> Callable[[int], int]:
        if not self.memory.exists():
            self.memory.touch()
            os._exit(9)
        return lambda n: 2 * n


def start_refusing() -> Callable[[int], int]:
    def work(n: int) -> int:
        raise InputError("book.txt", "it is empty.", remedy="Give a text.", place=f"line {n}")

    return work


def start_telling_the_process() -> Callable[[int], int]:
    def work(n: int) -> int:
        time.sleep(0.05)
        return os.getpid()

    return work


def test_every_task_comes_back_once_with_its_outcome() -> None:
    done = dict(Pool(start_doubling, 2).run(range(20)))
    assert done == {n: 2 * n for n in range(20)}


def test_no_tasks_start_no_process() -> None:
    assert list(Pool(start_doubling, 2).run([])) == []


def test_tasks_are_shared_by_several_processes() -> None:
    pids = {pid for _, pid in Pool(start_telling_the_process, 2).run(range(12))}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_task_that_kills_its_process_fails_alone() -> None:
    done = dict(Pool(start_dying_on_seven, 2).run(range(12)))
    assert isinstance(done.pop(7), CrashError)
    assert done == {n: n for n in range(12) if n != 7}


def test_a_process_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    done = dict(Pool(DieOnce(tmp_path / "died"), 1).run([1, 2, 3]))
    assert done == {1: 1, 2: 2, 3: 3}


def test_processes_that_die_before_they_begin_are_not_blamed_on_the_tasks() -> None:
    with pytest.raises(CrashError, match=r"while they loaded their models.*fewer --jobs"):
        list(Pool(start_dying_at_once, 2).run(range(100)))


def test_one_process_that_dies_before_it_begins_costs_nothing(tmp_path: Path) -> None:
    done = dict(Pool(StartOnSecondTry(tmp_path / "died"), 1).run([1, 2, 3]))
    assert done == {1: 2, 2: 4, 3: 6}


def test_an_error_travels_to_the_caller_with_its_words() -> None:
    with pytest.raises(InputError, match=r"book\.txt, line 3: it is empty\. Give a text\."):
        list(Pool(start_refusing, 1).run([3]))


def test_leaving_the_loop_early_stops_the_processes() -> None:
    pool = Pool(start_telling_the_process, 2)
    run = pool.run(range(100))
    _, pid = next(run)
    run.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
