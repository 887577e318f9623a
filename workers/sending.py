"""Messages out: one for a shard at a stage, and as many shards as workers can use soon."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from celery import Celery

from pipeline.broker import is_amqp
from pipeline.manifest.job import Priority
from pipeline.manifest.message import Message, Stage, queue
from workers.broker import CALL_ERRORS, BrokerUnavailableError
from workers.ledger import Item, Ledger

log = logging.getLogger(__name__)

#: Shards published for each worker: the one it works at, and the next.
AHEAD = 2

#: A message that RabbitMQ has not confirmed by then is sent again.
CONFIRMED_WITHIN_S = 5.0

#: How the brokers write priorities: Redis serves small numbers first, RabbitMQ great ones. Quorum
#: queues tell only those above 4 from the rest, and before 4.0 not even these.
REDIS_PRIORITIES: dict[Priority, int] = {"high": 0, "normal": 3, "low": 6}
AMQP_PRIORITIES: dict[Priority, int] = {"high": 9, "normal": 4, "low": 0}


@dataclass(frozen=True, slots=True)
class Sender:
    """Publishes work and keeps the ledger of it."""

    app: Celery
    ledger: Ledger

    def send(self, stage: Stage, item: Item, priority: Priority, at: float | None = None) -> None:
        """Publish work at a stage.

        Args:
            stage: What is to be done.
            item: On what.
            priority: Of the job.
            at: When the ledger noted it; None notes it now.

        Raises:
            BrokerUnavailableError: It did not go out now; the reconciler will see to it.
        """
        if at is None:
            at = self.ledger.queued(stage, item, priority)
        message = Message(
            tenant=item.job.tenant, job=item.job.id, shard=item.shard, priority=priority, at=at
        )
        is_rabbit = is_amqp(str(self.app.conf.broker_url))
        priorities = AMQP_PRIORITIES if is_rabbit else REDIS_PRIORITIES
        try:
            self.app.send_task(
                f"voxmill.{stage}",
                kwargs=message.fields(),
                queue=queue(stage),
                priority=priorities[priority],
                confirm_timeout=CONFIRMED_WITHIN_S,
            )
        except CALL_ERRORS as error:
            raise BrokerUnavailableError(
                f"The broker cannot be reached now ({type(error).__name__}). Is it running? "
                "Nothing is lost meanwhile."
            ) from error

    def dispatch(self) -> int:
        """Publish the shards that are next by fair share, up to what workers can use soon."""
        window = AHEAD * max(1, self.ledger.n_workers("synth"))
        picked = self.ledger.pick(window)
        for one in picked:
            self.send("synth", one.item, one.priority, one.at)
        return len(picked)
