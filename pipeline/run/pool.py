"""Processes that work on tasks side by side.

Processes rather than threads, because the aligner holds the interpreter's lock; our own pool
rather than the standard one, because a model may crash its process, and then only the chunk it
was working on may suffer.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from pipeline.errors import CrashError, VoxmillError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

#: A task that kills this many processes is given up.
MAX_CRASHES = 2
#: When so many processes in a row die before they can do anything, it is not for their tasks.
MAX_STILLBORN = 3


class Pool(Generic[Task, Outcome]):
    """Runs a function over tasks in up to `n` processes.

    Args:
        start: Called once in each process; returns the function that does a task. It travels to
            the process by pickle, as tasks and outcomes do.
        n: How many processes.
    """

    def __init__(self, start: Callable[[], Callable[[Task], Outcome]], n: int) -> None:
        self._start, self._n = start, n
        self._workers: list[_Worker[Task, Outcome]] = []
        self._queue: deque[tuple[Task, int]] = deque()
        self._n_stillborn = 0

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Outcome | CrashError]]:
        """Yield each task with its outcome, in the order in which they finish.

        Raises:
            VoxmillError: What a task raised; the other processes are stopped.
            CrashError: Processes die before they can do any task.
        """
        self._queue.extend((task, 0) for task in tasks)
        try:
            while self._queue or self._workers:
                self._hire()
                for worker in self._ready():
                    yield from self._collect(worker)
        finally:
            for worker in list(self._workers):
                self._dismiss(worker)

    def _hire(self) -> None:
        while self._queue and len(self._workers) < self._n:
            worker = _Worker[Task, Outcome](self._start)
            self._workers.append(worker)
            worker.give(*self._queue.popleft())

    def _ready(self) -> list[_Worker[Task, Outcome]]:
        ready = wait([worker.connection for worker in self._workers])
        return [worker for worker in self._workers if worker.connection in ready]

    def _collect(
        self, worker: _Worker[Task, Outcome]
    ) -> Iterator[tuple[Task, Outcome | CrashError]]:
        task, crashes = worker.task, worker.crashes
        if not worker.is_ready:
            self._welcome(worker)
            return
        try:
            outcome = worker.take()
        except EOFError:
            self._dismiss(worker)
            if crashes + 1 < MAX_CRASHES:
                self._queue.append((task, crashes + 1))
            else:
                yield task, CrashError()
            return
        if self._queue:
            worker.give(*self._queue.popleft())
        else:
            self._dismiss(worker)
        yield task, outcome

    def _welcome(self, worker: _Worker[Task, Outcome]) -> None:
        """Hear that a process has started, or that it did not live to."""
        try:
            worker.hear()
            worker.is_ready, self._n_stillborn = True, 0
        except EOFError:
            self._dismiss(worker)
            self._queue.appendleft((worker.task, worker.crashes))
            self._n_stillborn += 1
        if self._n_stillborn >= MAX_STILLBORN:
            raise CrashError(
                f"{MAX_STILLBORN} processes in a row ended while they loaded their models. If "
                "memory was short, choose fewer --jobs. What is done is kept: run the same command "
                "again."
            )

    def _dismiss(self, worker: _Worker[Task, Outcome]) -> None:
        self._workers.remove(worker)
        worker.stop()


class _Worker(Generic[Task, Outcome]):
    """One process and the task it holds."""

    task: Task
    crashes: int
    #: Whether it has told that it started.
    is_ready: bool = False

    def __init__(self, start: Callable[[], Callable[[Task], Outcome]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, start), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, task: Task, crashes: int) -> None:
        self.task, self.crashes = task, crashes
        try:
            self.connection.send(task)
        except BrokenPipeError:
            return  # it died; `take` will see the end of the pipe

    def take(self) -> Outcome:
        outcome: Outcome = self.hear()
        return outcome

    def hear(self) -> Any:
        try:
            told = self.connection.recv()
        except ConnectionResetError as error:
            raise EOFError from error
        if isinstance(told, VoxmillError):
            raise told
        return told

    def stop(self) -> None:
        # Killing is safe at any moment: whatever a process stores, it stores atomically.
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, start: Callable[[], Callable[[Task], Outcome]]) -> None:
    """Do tasks until the pipe closes, which it also does when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = start()
        connection.send(None)  # it lives
        while True:
            connection.send(work(connection.recv()))
    except VoxmillError as error:
        connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
