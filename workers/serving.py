"""A worker process: Celery's supervisor and the one child that does the work."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from celery import Celery, signals
from celery.exceptions import TimeLimitExceeded, WorkerLostError

from pipeline.errors import VoxmillError
from pipeline.manifest.message import Message, Stage, queue
from pipeline.settings import Settings
from pipeline.store import probe
from workers import app as apps
from workers import context as contexts
from workers import health, logs, pulse
from workers.context import Context
from workers.ledger import Item
from workers.pulse import Pulse

log = logging.getLogger(__name__)

#: A worker says that it is here so often …
HERE_EVERY_S = 5.0
#: … and is believed for so long.
HERE_FOR_S = 20.0
#: A worker whose loop stands still for so long takes no work: the broker is away. After the second
#: it is best restarted.
AWAY_AFTER_S, STUCK_AFTER_S = 20.0, 900.0


def serve(settings: Settings, stages: Sequence[Stage], name: str) -> None:
    """Work until told to stop.

    Args:
        settings: Of this machine.
        stages: Whose queues are consumed.
        name: The worker's name, one of its kind on this machine.

    Raises:
        StorageError: The store does not keep what it promises, so nothing may be trusted to it.
    """
    logs.configure(settings, name)
    app = apps.create(settings)
    context = contexts.create(app, settings)
    probe.require(context.root)
    supervisor = _Supervisor(context, tuple(stages), f"{name}@{contexts.hostname()}")
    supervisor.connect(app)
    queues = ",".join(queue(stage) for stage in stages)
    with health.served(settings, supervisor.is_ready, supervisor.is_alive):
        app.worker_main(
            [
                "worker",
                *("--queues", queues),
                *("--hostname", supervisor.name),
                *("--loglevel", "INFO"),
                "--without-gossip",
                "--without-mingle",
            ]
        )


@dataclass(slots=True)
class _Supervisor:
    """What runs beside the child: it says that the worker lives, and sees when the child dies."""

    context: Context
    stages: tuple[Stage, ...]
    name: str
    _pulse: Pulse = field(default_factory=Pulse)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def connect(self, app: Celery) -> None:
        """Listen to what Celery tells."""
        app.steps["consumer"].add(pulse.step(self._pulse))
        signals.setup_logging.connect(_keep_logging, weak=False)
        signals.worker_ready.connect(self._ready, weak=False)
        signals.worker_shutting_down.connect(self._shutting_down, weak=False)
        signals.task_failure.connect(self._child_died, weak=False)

    def is_ready(self) -> bool:
        """Tell whether messages are taken."""
        silent_s = self._pulse.silent_s
        return silent_s is not None and silent_s < AWAY_AFTER_S and not self._stopping.is_set()

    def is_alive(self) -> bool:
        """Tell whether the process should be left alone."""
        silent_s = self._pulse.silent_s
        return silent_s is None or silent_s < STUCK_AFTER_S

    def _ready(self, **_: Any) -> None:
        threading.Thread(target=self._say_here, name="here", daemon=True).start()

    def _shutting_down(self, how: str = "", **_: Any) -> None:
        """See to it that what is worked at is given back when the grace period is over.

        Celery's warm shutdown waits without end, and its soft one sleeps the period to its end
        though nothing is left to do.
        """
        self._stopping.set()
        _quietly(lambda: self.context.ledger.gone(self.name))
        if how == "Warm":
            give_back = threading.Timer(self.context.settings.grace_s, _end_cold)
            give_back.daemon = True
            give_back.start()

    def _say_here(self) -> None:
        while not self._stopping.is_set():
            _quietly(lambda: self.context.ledger.here(self.name, self.stages, HERE_FOR_S))
            self._stopping.wait(HERE_EVERY_S)

    def _child_died(
        self, sender: Any = None, task_id: str = "", exception: Any = None, **told: Any
    ) -> None:
        """Give back what the child held, so that nobody waits for its lease to run out."""
        if not isinstance(exception, (WorkerLostError, TimeLimitExceeded)):
            return
        message = Message.model_validate(told["kwargs"])
        stage: Stage = sender.name.rpartition(".")[2]
        item = Item(message.ref, message.shard)
        log.error("the process that worked at %s died (%s)", item, type(exception).__name__)
        ledger = self.context.ledger
        _quietly(lambda: ledger.end(stage, item, self.context.owner(task_id, self.name)))
        _quietly(lambda: self.context.sender.send(stage, item, message.priority))


def _keep_logging(**_: Any) -> None:
    """Take logging out of Celery's hands: it is set up already."""


def _end_cold() -> None:
    os.kill(os.getpid(), signal.SIGQUIT)


def _quietly(act: Any) -> None:
    """Do what the reconciler would make up for if it failed."""
    try:
        act()
    except VoxmillError as error:
        log.warning("%s", error)
