"""The whole stack: started in order, watched, repaired, stopped."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import local_stack
from pipeline.errors import BusyError, MissingToolError, VoxmillError
from pipeline.local_stack import STATE, StackProcess, StackState
from pipeline.settings import Settings
from producer.stack import ports as stack_ports
from producer.stack import processes, servers

#: How long each process may take until it answers; the first import on a cold disk is slow.
READY_WITHIN_S = 120.0
POLL_S = 0.1
#: How long a process may take to stop.
STOP_WITHIN_S = 30.0
BUCKET = "voxmill"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A process the stack should have."""

    name: str
    command: list[str]
    port: int
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A process the stack has, and whether it does what it should."""

    process: StackProcess
    is_healthy: bool


def up(folder: Path, n_workers: int, tell: Tell) -> StackState:
    """Start what does not run, and return when everything answers.

    Raises:
        MissingToolError: A server is not installed.
        StackError: A process does not come up; whatever was started is stopped.
    """
    for name in ("celery", "redis", "boto3"):
        if not _is_installed(name):
            raise MissingToolError(f"The stack needs {name}. pip install 'voxmill[stack]'")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(folder):
        return _Starting(folder, n_workers, tell).run()


def down(folder: Path, tell: Tell, *, purge: bool = False) -> None:
    """Stop everything, the workers first; with `purge`, remove the data too."""
    state = local_stack.load(folder)
    if state:
        for process in reversed(state.processes):
            if local_stack.is_running(process):
                processes.stop(process, STOP_WITHIN_S)
                tell(f"{process.name}: stopped")
        (folder / STATE).unlink(missing_ok=True)
    if purge:
        shutil.rmtree(folder, ignore_errors=True)


def status(folder: Path) -> list[Seen]:
    """Return the processes of the stack in a folder, each with its health."""
    state = local_stack.load(folder)
    if state is None:
        return []
    return [Seen(each, is_healthy(each, state)) for each in state.processes]


def is_healthy(process: StackProcess, state: StackState) -> bool:
    """Tell whether a process lives and answers."""
    if not local_stack.is_running(process) or process.port is None:
        return False
    if process.name == "redis":
        return stack_ports.answers(process.port)
    if process.name == "s3":
        return _s3_answers(state)
    return _is_ready(process.port)


class StackError(VoxmillError):
    """A process of the stack does not come up."""


class _Starting:
    """One `up`."""

    def __init__(self, folder: Path, n_workers: int, tell: Tell) -> None:
        self._folder, self._tell = folder, tell
        self._logs = folder / "logs"
        self._n_workers = n_workers
        before = local_stack.load(folder)
        self._running = {
            each.name: each
            for each in (before.processes if before else ())
            if local_stack.is_running(each)
        }
        self._state = self._described(before)
        self._started: list[StackProcess] = []

    def run(self) -> StackState:
        try:
            for stage in (self._servers(), self._ours()):
                for wanted in stage:
                    self._start(wanted)
                for process in self._state.processes:
                    self._await(process)
                self._make_bucket()
        except BaseException:
            for process in reversed(self._started):
                processes.stop(process, 5.0)
            self._keep([each for each in self._state.processes if each not in self._started])
            raise
        return self._state

    def _described(self, before: StackState | None) -> StackState:
        names = ["redis", *servers.WEED_PORTS, *(w for w in self._names())]
        self._ports = stack_ports.ports(self._folder, names)
        password = secrets.token_urlsafe(24)
        return StackState(
            processes=tuple(self._running.values()),
            store_url=f"s3://{BUCKET}",
            redis_url=before.redis_url
            if before
            else f"redis://:{password}@{servers.LOOPBACK}:{self._ports['redis']}/0",
            s3_endpoint_url=f"http://{servers.LOOPBACK}:{self._ports['s3.port']}",
            s3_access_key_id=before.s3_access_key_id if before else secrets.token_hex(10),
            s3_secret_access_key=before.s3_secret_access_key
            if before
            else secrets.token_urlsafe(30),
        )

    def _names(self) -> list[str]:
        workers = [f"worker-{i + 1}" for i in range(self._n_workers)]
        return [*workers, "finalizer", "reconciler"]

    def _servers(self) -> Iterator[Wanted]:
        state = self._state
        password = state.redis_url.partition("//:")[2].partition("@")[0]
        redis = servers.redis_command(self._folder / "redis", self._ports["redis"], password)
        yield Wanted("redis", redis, self._ports["redis"], {})
        weed = servers.weed_command(
            self._folder / "s3", self._ports, state.s3_access_key_id, state.s3_secret_access_key
        )
        yield Wanted("s3", weed, self._ports["s3.port"], {})

    def _ours(self) -> Iterator[Wanted]:
        for name in self._names():
            port = self._ports[name]
            environment = {**self._environment(), "VOXMILL_METRICS_PORT": str(port)}
            yield Wanted(name, [*_voxmill(), *_arguments(name)], port, environment)

    def _environment(self) -> dict[str, str]:
        state = self._state
        return {
            "VOXMILL_STORE_URL": state.store_url,
            "VOXMILL_REDIS_URL": state.redis_url,
            "VOXMILL_S3_ENDPOINT_URL": state.s3_endpoint_url,
            "VOXMILL_S3_ACCESS_KEY_ID": state.s3_access_key_id,
            "VOXMILL_S3_SECRET_ACCESS_KEY": state.s3_secret_access_key,
            "VOXMILL_LOG_FORMAT": "json",
        }

    def _start(self, wanted: Wanted) -> None:
        if wanted.name in self._running:
            return
        process = processes.start(
            wanted.name, wanted.command, wanted.port, self._logs, wanted.environment
        )
        self._started.append(process)
        self._keep([*self._state.processes, process])

    def _await(self, process: StackProcess) -> None:
        until_s = time.monotonic() + READY_WITHIN_S
        while not is_healthy(process, self._state):
            if not local_stack.is_running(process) or time.monotonic() > until_s:
                raise StackError(
                    f"{process.name} does not come up. The end of "
                    f"{processes.log_of(process.name, self._logs)}:\n"
                    f"{processes.tail(process.name, self._logs)}"
                )
            time.sleep(POLL_S)
        if process in self._started:
            self._tell(f"{process.name}: ready")

    def _make_bucket(self) -> None:
        from pipeline.store import s3_client  # noqa: PLC0415 - a second of importing

        s3_client.make_bucket(BUCKET, settings_for(self._state))

    def _keep(self, running: Sequence[StackProcess]) -> None:
        """Remember what runs, in a file that only its owner may read."""
        self._state = self._state.model_copy(update={"processes": tuple(running)})
        temporary = self._folder / f"{STATE}.part"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(self._state.encode())
        temporary.replace(self._folder / STATE)


def settings_for(state: StackState) -> Settings:
    """Return this machine's settings, reaching a stack."""
    return Settings().model_copy(update=local_stack.reaching(state))


def _voxmill() -> list[str]:
    return [sys.executable, "-m", "producer.cli.app"]


def _arguments(name: str) -> list[str]:
    if name == "reconciler":
        return ["reconcile"]
    queues = "finalize" if name == "finalizer" else "synth,check"
    return ["worker", "--queues", queues, "--name", name]


def _is_installed(name: str) -> bool:
    from importlib import util  # noqa: PLC0415

    return util.find_spec(name) is not None


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{servers.LOOPBACK}:{port}/readyz", timeout=2) as page:
            return bool(page.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _s3_answers(state: StackState) -> bool:
    from pipeline.store import s3_client  # noqa: PLC0415 - a second of importing

    return s3_client.answers(settings_for(state))


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"Another `voxmill stack up` is at work in {folder}.") from error
        yield
