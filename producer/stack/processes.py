"""Processes of the stack: started apart from the terminal, asked to stop, killed if they do not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline import local_stack
from pipeline.local_stack import StackProcess

#: How much of a log is shown when its process failed.
TAIL_LINES = 12
#: A log that is longer is put aside when its process is started anew.
MAX_LOG_BYTES = 20_000_000
POLL_S = 0.05


def start(
    name: str, command: Sequence[str], port: int, logs: Path, environment: Mapping[str, str]
) -> StackProcess:
    """Start a process in a session of its own: it outlives the terminal, and hears no Ctrl-C."""
    logs.mkdir(parents=True, exist_ok=True)
    path = log_of(name, logs)
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    # Not waited for by this object: `stop` buries it, or the system once we have ended.
    process.returncode = 0
    began = local_stack.started(process.pid)
    return StackProcess(name=name, pid=process.pid, started=began or 0, port=port)


def stop(
    running: Sequence[StackProcess],
    patience_s: float,
    stopped: Callable[[StackProcess], None] = lambda _: None,
) -> None:
    """Ask processes to stop, all at once; kill those that do not, and what they leave behind.

    Args:
        running: What to stop. One that has ended is passed over: its number may be another's now.
        patience_s: How long they may take.
        stopped: Told each that has ended.
    """
    running = [each for each in running if local_stack.is_running(each)]
    for process in running:
        # One that is frozen cannot stop.
        _signal(process, signal.SIGTERM)
        _signal(process, signal.SIGCONT)
    left = _await_end(running, patience_s, stopped)
    for process in running:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it began a session, and so a group
    _await_end(left, None, stopped)


def log_of(name: str, logs: Path) -> Path:
    """Return where a process writes."""
    return logs / f"{name}.log"


def tail(name: str, logs: Path) -> str:
    """Return the last lines of a process's log."""
    try:
        lines = log_of(name, logs).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-TAIL_LINES:])


def _await_end(
    running: Sequence[StackProcess],
    patience_s: float | None,
    stopped: Callable[[StackProcess], None],
) -> list[StackProcess]:
    """Wait until processes have ended; return those that have not in time."""
    left, until_s = list(running), time.monotonic() + (patience_s or 0.0)
    while left:
        for process in [each for each in left if _has_ended(each)]:
            left.remove(process)
            stopped(process)
        if patience_s is not None and time.monotonic() > until_s:
            break
        time.sleep(POLL_S)
    return left


def _has_ended(process: StackProcess) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)  # a child of ours looks alive until it is buried
    return not local_stack.is_running(process)


def _signal(process: StackProcess, number: int) -> None:
    if local_stack.is_running(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
