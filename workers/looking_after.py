"""The reconciler as a process: rounds at an interval, or as soon as somebody asks."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from celery import Celery

from pipeline.errors import VoxmillError
from pipeline.manifest.message import ADMIT, Message
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store import probe
from workers import app as apps
from workers import broker, health, logs
from workers import context as contexts
from workers.reconciler import Reconciler

log = logging.getLogger(__name__)

#: Besides the interval: without a good round for so long a reconciler is of no use now, …
AWAY_AFTER_S = 60.0
#: … and without any round, good or bad, it is best restarted.
STUCK_AFTER_S = 300.0


def serve(settings: Settings, *, once: bool = False) -> None:
    """Look after jobs until told to stop.

    Raises:
        StorageError: The store does not keep what it promises.
    """
    logs.configure(settings, "reconciler")
    app = apps.create(settings)
    context = contexts.create(app, settings)
    probe.require(context.root)
    loop = _Loop(Reconciler(context), _Hints(app), settings.reconcile_every_s)
    if once:
        loop.turn(0.0)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, loop.stop)
    with health.served(settings, loop.is_ready, loop.is_alive):
        loop.run()


@dataclass(slots=True)
class _Loop:
    reconciler: Reconciler
    hints: _Hints
    every_s: float
    _stopping: threading.Event = field(default_factory=threading.Event)
    #: When a round, and a good one, last ended, by the process's clock.
    _ended_s: float = field(default_factory=time.monotonic)
    _done_s: float | None = None

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn(self.every_s)

    def turn(self, wait_s: float) -> None:
        """Make a round, then wait until the next is due or somebody asks for one."""
        try:
            self.reconciler.once(self.hints.taken())
            self._done_s = time.monotonic()
        except VoxmillError as error:
            log.warning("the round came to nothing: %s", error)
        except broker.ERRORS as error:
            log.warning("the broker cannot be reached: %s", type(error).__name__)
        except Exception:  # nothing that nobody has thought of may end it: who else would look?
            log.exception("the round came to nothing")
        self._ended_s = time.monotonic()
        self.hints.wait(wait_s, self._stopping)

    def stop(self, *_: Any) -> None:
        self._stopping.set()

    def is_ready(self) -> bool:
        """Tell whether jobs are looked after."""
        done_s = self._done_s
        return done_s is not None and time.monotonic() - done_s < self.every_s + AWAY_AFTER_S

    def is_alive(self) -> bool:
        """Tell whether the process should be left alone."""
        return time.monotonic() - self._ended_s < self.every_s + STUCK_AFTER_S


@dataclass(slots=True)
class _Hints:
    """What producers send when they have submitted something; worth nothing but time."""

    app: Celery
    _taken: set[JobRef] = field(default_factory=set)

    def taken(self) -> set[JobRef]:
        """Return the jobs asked for, and forget them."""
        taken, self._taken = self._taken, set()
        return taken

    def wait(self, timeout_s: float, stopping: threading.Event) -> None:
        """Wait for a hint; take all there are."""
        until_s = time.monotonic() + timeout_s
        try:
            with self.app.connection_for_read() as connection:
                inbox = connection.SimpleQueue(ADMIT, no_ack=True)
                while not stopping.is_set() and (left_s := until_s - time.monotonic()) > 0:
                    if self._take(inbox, min(left_s, 1)):
                        # Never waited for again: on Redis, closing would wait to the end as well.
                        while self._take(inbox, 0) or inbox.buffer:
                            pass
                        return
        except broker.CALL_ERRORS as error:
            log.warning("the broker cannot be reached: %s", type(error).__name__)
            stopping.wait(max(0.0, until_s - time.monotonic()))

    def _take(self, inbox: Any, at_most_s: float) -> bool:
        """Take one hint; False when there is none."""
        try:
            hint = inbox.get(block=bool(at_most_s or inbox.buffer), timeout=at_most_s)
            self._taken.add(Message.model_validate(hint.payload).ref)
        except queue.Empty:
            return False
        except ValueError as error:
            log.warning("not a hint: %s", error)
        return True
