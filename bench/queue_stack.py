"""A stack of its own for a bench, away from the one of the user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import local_stack
from pipeline.settings import Settings
from producer.stack.stack import settings_for

VOXMILL = (sys.executable, "-m", "producer.cli.app")


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    folder: Path
    environment: dict[str, str]

    def voxmill(self, *arguments: object) -> str:
        """Run a command that finds this stack; return what it says."""
        done = subprocess.run(
            [*VOXMILL, *map(str, arguments)],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def pid(self, name: str) -> int:
        """Return the number of one of its processes."""
        state = local_stack.load(self.folder)
        assert state, "it is up"
        return next(each.pid for each in state.processes if each.name == name)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Stop the clock of a process for a while."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @property
    def settings(self) -> Settings:
        """Settings that reach it."""
        state = local_stack.load(self.folder)
        assert state, "it is up"
        return settings_for(state)


@contextmanager
def up(n_workers: int) -> Iterator[Stack]:
    """Bring up a stack in a temporary folder, and take it down with its data."""
    with tempfile.TemporaryDirectory(prefix="voxmill-bench-") as home:
        environment = {**os.environ, "XDG_DATA_HOME": home}
        stack = Stack(Path(home) / "voxmill" / "stack", environment)
        stack.voxmill("stack", "up", "--workers", n_workers)
        try:
            yield stack
        finally:
            stack.voxmill("stack", "down", "--purge")
