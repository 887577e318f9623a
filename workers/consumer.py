"""Celery's consumer without what nothing here uses."""

from __future__ import annotations

from celery.worker import consumer

#: Makes 28 exchanges and 28 queues for delayed messages, each time a worker connects to RabbitMQ.
DELAYED = "celery.worker.consumer.delayed_delivery:DelayedDelivery"


class Consumer(consumer.Consumer):  # type: ignore[misc]
    """Takes messages; what is put off waits in the ledger, never in the broker."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        """The steps of starting."""

        default_steps = [  # noqa: RUF012 - Celery's own name and kind
            step for step in consumer.Consumer.Blueprint.default_steps if step != DELAYED
        ]
