"""The tasks of the queue: thin, since what they do is in `pipeline.jobs`."""

from __future__ import annotations

import logging
import time
from functools import cached_property, partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from celery import Task, shared_task
from kombu.entity import Queue
from pydantic import ValidationError

from pipeline.errors import IncompleteError
from pipeline.jobs import ending, finishing, steps
from pipeline.manifest.message import VERSION, Message, Stage, queue
from pipeline.run.events import Event
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from workers import blame, context, metrics, tending
from workers.attempt import Attempt, Work, run
from workers.lease import LostLeaseError

log = logging.getLogger(__name__)


class StageTask(Task):  # type: ignore[misc]
    """A task with what its process has at hand."""

    @cached_property
    def context(self) -> context.Context:
        """Connect when the first message comes, not when the process starts."""
        return context.create(self.app, Settings())

    def perform(self, stage: Stage, fields: dict[str, Any], work: Work) -> None:
        """Do what a message asks for; one from a newer version is left for newer workers."""
        version = fields.get("v")
        if isinstance(version, int) and version > VERSION:
            self._leave(stage, version, fields)
            return
        try:
            message = Message.model_validate(fields)
        except ValidationError as error:
            log.error("not a message: %s", error)  # noqa: TRY400 - it says all
            return
        owner = self.context.owner(self.request.id, self.request.hostname)
        run(self.context, stage, message, owner, work)

    def _leave(self, stage: Stage, version: int, fields: dict[str, Any]) -> None:
        """Put a message into the queue of its version, which may not be there yet."""
        ours, name = self.app.amqp.queues[queue(stage)], queue(stage, version)
        newer = Queue(name, ours.exchange, name, queue_arguments=ours.queue_arguments)
        self.app.send_task(self.name, kwargs=fields, queue=newer)
        log.info("a message of version %d is left for newer workers", version)


@shared_task(bind=True, base=StageTask, name="voxmill.synth")
def synth(self: StageTask, **fields: Any) -> None:
    """Speak a shard."""
    self.perform("synth", fields, _synth)


@shared_task(bind=True, base=StageTask, name="voxmill.check")
def check(self: StageTask, **fields: Any) -> None:
    """Judge a shard."""
    self.perform("check", fields, _check)


@shared_task(bind=True, base=StageTask, name="voxmill.finalize")
def finalize(self: StageTask, **fields: Any) -> None:
    """Put a book together."""
    self.perform("finalize", fields, _finalize)


def _synth(attempt: Attempt) -> None:
    tools, sender = attempt.context.tools, attempt.context.sender
    engine = tools.engine(attempt.request.body.render, attempt.recipe)
    spoken = steps.speak(attempt.shard, attempt.recipe, engine, attempt.store)
    tools.keep_at_hand(spoken.stored)
    metrics.shard_spoken(spoken.n_takes, spoken.audio_s, spoken.wall_s)
    metrics.gpu_memory()
    at = attempt.context.ledger.hand_over(attempt.item, attempt.message.priority)
    sender.send("check", attempt.item, attempt.message.priority, at)
    sender.dispatch()


def _check(attempt: Attempt) -> None:
    tools = attempt.context.tools
    judges = tools.judges(attempt.request.body.render, attempt.recipe)
    settled = steps.check(
        attempt.shard, attempt.recipe, judges, attempt.store, tools.take_at_hand()
    )
    if settled is None:
        attempt.context.ledger.again(attempt.item)
        attempt.context.sender.dispatch()
        return
    blame.settle(attempt, settled)


def _finalize(attempt: Attempt) -> None:
    started_s = time.monotonic()
    settings = attempt.context.settings
    try:
        finishing.finish(
            attempt.request,
            attempt.context.root,
            open_store(attempt.request.body.output, settings),
            settings.scratch_dir or Path(gettempdir()),
            partial(_tell, attempt),
            partial(_keep_going, attempt),
        )
    except IncompleteError as error:
        log.warning("%s", error)
    else:
        metrics.book_finished(time.monotonic() - started_s)
    tending.tend(attempt.context, attempt.item.job)


def _keep_going(attempt: Attempt) -> None:
    """Stop when others have taken over, or when the job was cancelled."""
    attempt.held.require()
    if ending.is_decided(attempt.request.id, attempt.round, attempt.store):
        raise LostLeaseError(f"The job {attempt.item.job} has been decided meanwhile.")


def _tell(attempt: Attempt, event: Event) -> None:
    log.debug("%s", event)
    attempt.held.require()
