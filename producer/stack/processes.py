"""Processes of the stack: started apart from the terminal, watched, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import local_stack
from pipeline.local_stack import StackProcess

#: How much of a log is shown when its process failed.
TAIL_LINES = 12


def start(
    name: str,
    command: Sequence[str],
    port: int | None,
    logs: Path,
    environment: Mapping[str, str] | None = None,
) -> StackProcess:
    """Start a process in a session of its own; it outlives the terminal."""
    logs.mkdir(parents=True, exist_ok=True)
    with log_of(name, logs).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    began = local_stack.started(process.pid)
    return StackProcess(name=name, pid=process.pid, started=began or 0, port=port)


def stop(process: StackProcess, patience_s: float) -> None:
    """Ask a process to stop, with all it has started; kill what does not in time."""
    _signal(process, signal.SIGTERM, of_group=False)
    until_s = time.monotonic() + patience_s
    while local_stack.is_running(process) and time.monotonic() < until_s:
        _reap(process)
        time.sleep(0.05)
    _signal(process, signal.SIGKILL, of_group=True)
    while local_stack.is_running(process):
        _reap(process)
        time.sleep(0.02)


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


def _signal(process: StackProcess, number: int, *, of_group: bool) -> None:
    if of_group:
        # The group is the process's own: it began a session.
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
    elif local_stack.is_running(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def _reap(process: StackProcess) -> None:
    """Bury a child of ours that has ended, so that it does not look alive."""
    try:
        os.waitpid(process.pid, os.WNOHANG)
    except ChildProcessError:
        return
