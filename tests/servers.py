"""Real processes that a test starts, torments and stops; none of them outlives the test run."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis as client
from pydantic import SecretStr

from producer.stack.ports import answers
from producer.stack.servers import LOOPBACK, free_ports, redis_command

PASSWORD = "tester-secret"
#: Until a server on a busy machine answers.
START_S = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A command that can be started again and again.

    Start it from the main thread: where the system can, it dies with the thread that started it.
    """

    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Called in the new process before the command.
    before: Callable[[], None] | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process, "not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=self._prepare,  # noqa: PLW1509 - started from the main thread
            )

    def kill(self) -> None:
        """End the process with all that it has started, at once."""
        self.signal(signal.SIGKILL)
        self.wait()

    def pause(self) -> None:
        """Stop the clock of the process with all that it has started."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask the process itself to end."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, within_s: float = 60.0) -> int:
        assert self._process, "not started"
        return self._process.wait(within_s)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        for pid in [self.pid, *self.children()]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def children(self) -> list[int]:
        """Return the processes below this one, nearest first."""
        found, parents = [], [self.pid]
        while parents:
            # Each thread has its own; a supervisor hires the next child from another one.
            for path in Path(f"/proc/{parents.pop(0)}/task").glob("*/children"):
                with suppress(OSError):
                    below = [int(pid) for pid in path.read_text().split()]
                    found += below
                    parents += below
        return found

    def _prepare(self) -> None:
        if sys.platform == "linux":
            library: Any = ctypes.CDLL(None)
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if self.before:
            self.before()


@dataclass
class Redis(Child):
    """A Redis server; it keeps its port, and with `persistent` its data, over its deaths."""

    port: int = 0

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"redis://:{PASSWORD}@{LOOPBACK}:{self.port}/0")

    @property
    def client(self) -> client.Redis:
        return client.Redis.from_url(self.url.get_secret_value(), decode_responses=True)

    def start(self) -> None:
        super().start()
        eventually(lambda: self.is_running and answers(self.port), START_S)


@contextmanager
def redis(folder: Path, *, persistent: bool = True) -> Iterator[Redis]:
    """Run a Redis server as long as the test lasts; the one of the stack."""
    (port,) = free_ports(1)
    command = redis_command(folder / "redis", port, PASSWORD)
    if not persistent:
        command += ["--appendonly", "no"]
    server = Redis(command, folder / "redis.log", port=port)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def eventually(is_true: Callable[[], Any], within_s: float, every_s: float = 0.05) -> Any:
    """Wait until something is true, and return it.

    Raises:
        AssertionError: It does not become so in time.
    """
    until_s = time.monotonic() + within_s
    while not (found := is_true()):
        assert time.monotonic() < until_s, f"not within {within_s} s"
        time.sleep(every_s)
    return found
