"""The whole stack: started in order, repaired, stopped."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import local_stack
from pipeline.errors import BusyError, VoxmillError
from pipeline.local_stack import STATE, StackProcess, StackState
from pipeline.settings import Settings
from producer.stack import parts, processes
from producer.stack import ports as stack_ports
from producer.stack.health import is_healthy, is_sound, settings_for
from producer.stack.parts import Part

LOGS = "logs"
LOCK = "lock"
#: How long processes may take until they answer; the first import from a cold disk is slow.
READY_WITHIN_S = 120.0
#: How long one that runs may be silent before it is started anew.
SILENT_S = 5.0
POLL_S = 0.1
#: How long a process may take to stop. Workers get their grace and this much more.
STOP_WITHIN_S = 10.0
#: The S3 server waits a quarter of a minute for its own inner connections. By then nobody uses it,
#: and what it has been given is in the system's hands.
S3_STOP_WITHIN_S = 2.0
#: The order of stopping: whatever others need outlives them.
LAST = ("reconciler", "s3", "redis")
SERVERS = ("redis", "s3")

Tell = Callable[[str], None]


class StackError(VoxmillError):
    """A process of the stack does not come up."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A process the stack has, and whether it does what it should."""

    process: StackProcess
    is_healthy: bool


def up(settings: Settings, n_workers: int | None, tell: Tell) -> list[str]:
    """Start what does not run or does not answer, and return when everything answers.

    Args:
        settings: Say where the stack lives.
        n_workers: Workers that speak; None means as many as there are, else one a core.
        tell: Told what happens.

    Returns:
        The names of what was started; nothing when all was up already.

    Raises:
        MissingToolError: A server is not installed.
        StackError: A process does not come up; whatever was started is stopped again.
        BusyError: Another command is at work on the stack.
    """
    parts.require_packages()
    folder = settings.stack_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(folder):
        starting = _Starting(folder, settings.grace_s, tell)
        starting.run(n_workers)
    return [each.name for each in starting.started]


def down(settings: Settings, tell: Tell, *, purge: bool = False) -> None:
    """Stop everything, the workers first.

    Args:
        settings: Say where the stack lives, and how long workers may go on.
        tell: Told what happens.
        purge: Remove all data too.

    Raises:
        BusyError: Another command is at work on the stack.
    """
    folder = settings.stack_dir.absolute()
    if local_stack.load(folder) is None:
        return
    with _only_one(folder):
        state = local_stack.load(folder)
        assert state, "it was there"
        _stop(state.processes, settings.grace_s, tell)
        local_stack.save(state.model_copy(update={"processes": ()}), folder)
        if purge:
            _purge(folder)


def status(folder: Path) -> list[Seen]:
    """Return the processes of the stack in a folder, each with its health."""
    state = local_stack.load(folder)
    return [Seen(each, is_healthy(each, state)) for each in state.processes] if state else []


@dataclass(slots=True)
class _Starting:
    """One `up`."""

    folder: Path
    grace_s: float
    tell: Tell
    #: Of what should run, in the order of starting.
    names: list[str] = field(default_factory=list)
    started: list[StackProcess] = field(default_factory=list)

    def run(self, n_workers: int | None) -> None:
        before = local_stack.load(self.folder)
        n_workers = n_workers or _n_workers(before) or os.cpu_count() or 1
        self.names = [*SERVERS, *parts.ours(n_workers)]
        state = self._prepared(before)
        try:
            state = self._bring_up(state, parts.server_parts(state, self.folder))
            _make_bucket(state)
            self._bring_up(state, parts.our_parts(state, self.names[2:]))
        except BaseException:
            processes.stop(self.started, STOP_WITHIN_S)
            self._keep(state, [each for each in state.processes if each not in self.started])
            raise

    def _prepared(self, before: StackState | None) -> StackState:
        """Return the state of what runs and may go on."""
        running = self._sound(before) if before else []
        known = before.ports if before else {}
        wanted = [port for name in self.names for port in parts.port_names(name)]
        listening = [port for each in running for port in parts.port_names(each.name)]
        ports = stack_ports.settled(known, wanted, listening)
        if any(ports[name] != known.get(name) for name in ("redis", "s3.port")):
            # The others know the old address.
            self._stop([each for each in running if each.name not in SERVERS])
            running = [each for each in running if each.name in SERVERS]
        return self._keep(parts.described(before, ports), running)

    def _sound(self, state: StackState) -> list[StackProcess]:
        """Return what runs, answers and is wanted; stop the rest."""
        running = [each for each in state.processes if local_stack.is_running(each)]
        silent = _silent(running, state, SILENT_S)
        for process in silent:
            self.tell(f"{process.name}: does not answer")
        _stop(silent, 0.0, self.tell)  # no grace for who does nothing
        sound = [each for each in running if each not in silent]
        self._stop([each for each in sound if each.name not in self.names])
        return [each for each in sound if each.name in self.names]

    def _bring_up(self, state: StackState, wanted: Iterable[Part]) -> StackState:
        """Start what does not run, and wait until all that is wanted answers."""
        logs = self.folder / LOGS
        found = {each.name: each for each in state.processes}
        waiting = []
        for part in wanted:
            process = found.get(part.name)
            if process is None:
                process = processes.start(
                    part.name, part.command, part.port, logs, part.environment
                )
                self.started.append(process)
                state = self._keep(state, [*state.processes, process])
            waiting.append(process)
        self._await(waiting, state)
        return state

    def _await(self, waiting: list[StackProcess], state: StackState) -> None:
        until_s = time.monotonic() + READY_WITHIN_S
        while waiting:
            for process in [each for each in waiting if is_healthy(each, state)]:
                waiting.remove(process)
                if process in self.started:
                    self.tell(f"{process.name}: ready")
            late = waiting if time.monotonic() > until_s else []
            for process in [each for each in waiting if not local_stack.is_running(each)] or late:
                raise StackError(self._failure(process))
            time.sleep(POLL_S)

    def _failure(self, process: StackProcess) -> str:
        logs = self.folder / LOGS
        path, tail = processes.log_of(process.name, logs), processes.tail(process.name, logs)
        return f"{process.name} does not come up. The end of {path}:\n{tail}"

    def _stop(self, unwanted: Sequence[StackProcess]) -> None:
        _stop(unwanted, self.grace_s, self.tell)

    def _keep(self, state: StackState, running: Sequence[StackProcess]) -> StackState:
        ordered = sorted(running, key=lambda each: self.names.index(each.name))
        kept = state.model_copy(update={"processes": tuple(ordered)})
        local_stack.save(kept, self.folder)
        return kept


def _n_workers(state: StackState | None) -> int:
    return sum(each.name.startswith(parts.WORKER) for each in state.processes) if state else 0


def _silent(
    running: Sequence[StackProcess], state: StackState, within_s: float
) -> list[StackProcess]:
    """Return the processes that do not answer in time."""
    until_s = time.monotonic() + within_s
    while (silent := [each for each in running if not is_sound(each, state)]) and (
        time.monotonic() < until_s
    ):
        time.sleep(POLL_S)
    return silent


def _stop(running: Sequence[StackProcess], grace_s: float, tell: Tell) -> None:
    """Stop processes; those that others need, after those."""

    def stopped(process: StackProcess) -> None:
        tell(f"{process.name}: stopped")

    workers = [each for each in running if each.name not in LAST]
    processes.stop(workers, grace_s + STOP_WITHIN_S, stopped)
    for name in LAST:
        patience_s = S3_STOP_WITHIN_S if name == "s3" else STOP_WITHIN_S
        processes.stop([each for each in running if each.name == name], patience_s, stopped)


def _make_bucket(state: StackState) -> None:
    from pipeline.store import s3_client  # noqa: PLC0415 - a second of importing

    s3_client.make_bucket(parts.BUCKET, settings_for(state))


def _purge(folder: Path) -> None:
    """Remove what is the stack's, and the folder if nothing else is in it."""
    for name in ("redis", "s3", LOGS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (STATE, LOCK):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"Another `voxmill stack` is at work in {folder}. Wait, or stop it with Ctrl-C."
            ) from error
        yield
