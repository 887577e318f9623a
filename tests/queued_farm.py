"""A worker of the queue in the test's own process: nothing is done but what the test delivers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from queued_book import QueuedBook

from pipeline import names
from pipeline.jobs import records
from pipeline.manifest.job import Priority
from pipeline.manifest.message import Message, Stage
from pipeline.manifest.ref import JobRef
from pipeline.manifest.shard import Failure
from workers import tasks, tending
from workers.attempt import Attempt, run
from workers.context import Context
from workers.ledger import Item, Ledger
from workers.ledger.scripts import key


@dataclass
class Posted:
    """Stands for the queue: keeps what is published until the test delivers it."""

    ledger: Ledger
    messages: list[tuple[Stage, Message]] = field(default_factory=list)
    window: int = 100

    def send(self, stage: Stage, item: Item, priority: Priority, at: float | None = None) -> None:
        if at is None:
            at = self.ledger.queued(stage, item, priority)
        message = Message(
            tenant=item.job.tenant, job=item.job.id, shard=item.shard, priority=priority, at=at
        )
        self.messages.append((stage, message))

    def dispatch(self) -> int:
        picked = self.ledger.pick(self.window)
        for one in picked:
            self.send("synth", one.item, one.priority, one.at)
        return len(picked)

    @property
    def waiting(self) -> list[tuple[Stage, str]]:
        """Stage and shard of each message."""
        return [(stage, message.shard) for stage, message in self.messages]


class Died(BaseException):
    """The process is no more: nobody catches this."""


@dataclass
class Farm:
    """A book of the queue and one worker, whose every step the test decides."""

    book: QueuedBook
    context: Context
    posted: Posted
    #: Fails the next attempts, in order; None lets one through.
    errors: list[BaseException | None] = field(default_factory=list)
    #: Stage, shard and number of each attempt that was made.
    attempts: list[tuple[Stage, str, int]] = field(default_factory=list)

    @property
    def ref(self) -> JobRef:
        return JobRef(tenant=self.book.request.tenant, id=self.book.request.id)

    def item(self, shard: str) -> Item:
        return Item(self.ref, shard)

    def tend(self) -> None:
        tending.tend(self.context, self.ref)

    def start(self) -> None:
        """Admit the job, and publish what can be."""
        self.tend()
        self.posted.dispatch()

    def deliver(self, stage: Stage, shard: str = "") -> None:
        """Publish a piece of work again, and deliver the message."""
        at = self.context.ledger.queued(stage, self.item(shard), "normal")
        self.deliver_old(stage, shard, at)

    def deliver_old(self, stage: Stage, shard: str, at: float) -> None:
        """Deliver a message that was published at a time."""
        message = Message(tenant=self.ref.tenant, job=self.ref.id, shard=shard, at=at)
        run(self.context, stage, message, "worker", self._work)

    def crash(self, stage: Stage, shard: str = "") -> None:
        """Publish a piece of work again, and die in the midst of it; the supervisor sees it."""
        self.errors.insert(0, Died())
        with pytest.raises(Died):
            self.deliver(stage, shard)
        assert self.context.ledger.end(stage, self.item(shard), "worker")

    def work_off(self, at_most: int = 200) -> None:
        """Deliver messages until there are none."""
        for _ in range(at_most):
            if not self.posted.messages:
                return
            stage, message = self.posted.messages.pop(0)
            run(self.context, stage, message, "worker", self._work)
        raise AssertionError(f"it goes on for ever: {self.posted.waiting}")

    def put_off_s(self, stage: Stage, shard: str = "") -> float:
        """Return how long a piece of work is put off, counted from now."""
        name = f"{self.ref}|{shard}"
        at = self.context.ledger.redis.zscore(key("later", stage), name)
        assert at, "it is not put off"
        return float(at) - self.context.ledger.now()

    def failures(self, shard: str = "book") -> list[Failure]:
        """Return what is stored about attempts that came to nothing."""
        prefix = names.failures(self.ref.id, shard)
        found = [
            records.load_failure(name, self.book.store) for name in self.context.root.names(prefix)
        ]
        return sorted((each for each in found if each), key=lambda each: each.at_s)

    def _work(self, attempt: Attempt) -> None:
        self.attempts.append((attempt.stage, attempt.item.shard, attempt.number))
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        {"synth": tasks._synth, "check": tasks._check, "finalize": tasks._finalize}[attempt.stage](
            attempt
        )
