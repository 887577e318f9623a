"""Messages over Redis, for workers that outlive a Redis which refuses for a while.

When Redis has no memory left, cannot write to its disk, or has just become a replica, it answers
with a refusal. Celery takes that for a fault of its own and ends the worker, and with it models
that took minutes to load. Here it counts as a lost connection, which is waited out.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Celery
from celery.worker.consumer import Consumer
from kombu import transport
from kombu.transport import redis, virtual
from redis import ResponseError

log = logging.getLogger(__name__)

#: Before connecting again.
PAUSE_S = 2.0


class QoS(redis.QoS):
    """Keeps account of the messages that a worker holds."""

    def ack(self, delivery_tag: str) -> None:
        """Let a message go, also where Redis cannot note it.

        It comes again some day, and finds its work done. Kept, it would be the one message that a
        worker may hold, and no other would ever be taken.
        """
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            log.warning("a message could not be acknowledged: %s", type(error).__name__)
            virtual.QoS.ack(self, delivery_tag)


class Channel(redis.Channel):
    """Kombu's own, with our account."""

    QoS = QoS


class Transport(redis.Transport):
    """Kombu's own, but for what it takes for trouble that passes."""

    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class Patient(Consumer):  # type: ignore[misc]
    """Celery's own, but it takes a breath: what is refused is refused at once, and logged."""

    def connect(self) -> Any:
        """Connect; again only after a pause."""
        if self.restart_count > 1:
            time.sleep(PAUSE_S)
        return super().connect()


def use(app: Celery) -> None:
    """Have all this used for `redis://` and `rediss://`, by this process."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    app.conf.worker_consumer = f"{__name__}:Patient"
