"""Processes that are started, stop when asked, or are killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline import local_stack
from pipeline.local_stack import StackProcess
from producer.stack import processes

Start = Callable[[str], StackProcess]
OBEDIENT = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + OBEDIENT
#: Ends when asked, and leaves a child behind that does not.
CARELESS = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])
print(child.pid, flush=True)
{OBEDIENT}
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a script, and wait until it has said something."""
    started: list[StackProcess] = []

    def begin(script: str) -> StackProcess:
        name = f"process-{len(started)}"
        command = [sys.executable, "-c", script]
        process = processes.start(name, command, 1, tmp_path, os.environ)
        started.append(process)
        _eventually(lambda: "here" in processes.tail(name, tmp_path))
        return process

    yield begin
    processes.stop(started, 0.0)


def test_a_process_has_a_session_of_its_own(start: Start) -> None:
    process = start(OBEDIENT)
    assert os.getsid(process.pid) == process.pid
    assert local_stack.is_running(process)


def test_all_are_asked_to_stop_at_once(start: Start) -> None:
    both = [start(OBEDIENT), start(OBEDIENT)]
    told: list[StackProcess] = []
    processes.stop(both, 30.0, told.append)
    assert sorted(each.name for each in told) == ["process-0", "process-1"]
    assert not any(map(local_stack.is_running, both))


def test_what_does_not_stop_in_time_is_killed(start: Start) -> None:
    process = start(STUBBORN)
    began_s = time.monotonic()
    processes.stop([process], 0.3)
    assert 0.3 <= time.monotonic() - began_s < 20
    assert not local_stack.is_running(process)


def test_a_frozen_process_can_stop_too(start: Start) -> None:
    process = start(OBEDIENT)
    os.kill(process.pid, signal.SIGSTOP)
    began_s = time.monotonic()
    processes.stop([process], 60.0)
    assert time.monotonic() - began_s < 30


def test_what_a_process_leaves_behind_is_ended_with_it(start: Start, tmp_path: Path) -> None:
    process = start(CARELESS)
    child = int(processes.log_of(process.name, tmp_path).read_text().split()[0])
    assert local_stack.started(child)
    processes.stop([process], 30.0)
    _eventually(lambda: local_stack.started(child) is None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process began")
def test_a_stranger_with_the_number_of_a_process_is_left_alone(start: Start) -> None:
    stranger = start(OBEDIENT)
    earlier = stranger.model_copy(update={"started": stranger.started - 1})
    processes.stop([earlier], 0.2)
    time.sleep(0.3)
    assert local_stack.is_running(stranger)


def test_a_log_goes_on_where_it_was_until_it_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = processes.log_of("a", tmp_path)
    for text in ("one", "two"):
        _run(f"print('{text}')", tmp_path)
    assert path.read_text() == "one\ntwo\n"
    monkeypatch.setattr(processes, "MAX_LOG_BYTES", 5)
    _run("print('three')", tmp_path)
    assert path.read_text() == "three\n"
    assert (tmp_path / "a.log.1").read_text() == "one\ntwo\n"


def test_the_end_of_a_log_is_shown_and_of_none_nothing(tmp_path: Path) -> None:
    assert processes.tail("a", tmp_path) == ""
    processes.log_of("a", tmp_path).write_text("\n".join(map(str, range(100))))
    assert processes.tail("a", tmp_path).splitlines()[-1] == "99"
    assert len(processes.tail("a", tmp_path).splitlines()) == processes.TAIL_LINES


def _run(script: str, logs: Path) -> None:
    process = processes.start("a", [sys.executable, "-c", script], 1, logs, os.environ)
    os.waitpid(process.pid, 0)


def _eventually(is_true: Callable[[], object]) -> None:
    until_s = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < until_s
        time.sleep(0.02)
