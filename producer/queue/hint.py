"""A hint to the reconciler that a job is worth looking at; it saves seconds, and may get lost."""

from __future__ import annotations

import logging
from typing import Any

from kombu.connection import Connection

from pipeline.broker import is_amqp, tls
from pipeline.manifest.message import ADMIT, Message
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings

log = logging.getLogger(__name__)

#: Nobody waits longer for what is only a hint.
PATIENCE_S = 2.0


def send(settings: Settings, ref: JobRef) -> bool:
    """Tell the reconciler of a job; False when the broker cannot be reached now."""
    broker = (settings.broker_url or settings.redis_url).get_secret_value()
    try:
        with _connection(broker) as connection:
            outbox = connection.SimpleQueue(ADMIT, serializer="json")
            outbox.put(Message(tenant=ref.tenant, job=ref.id).fields())
            outbox.close()
    except Exception as error:  # whatever it is: the job is stored, and found without a hint
        log.info("no hint was sent: %s", type(error).__name__)
        return False
    return True


def _connection(broker: str) -> Any:
    options: dict[str, Any] = (
        {"read_timeout": PATIENCE_S, "write_timeout": PATIENCE_S}
        if is_amqp(broker)
        else {
            "socket_timeout": PATIENCE_S,
            "socket_connect_timeout": PATIENCE_S,
            "retry_on_timeout": False,
        }
    )
    return Connection(
        broker,
        connect_timeout=PATIENCE_S,
        ssl=tls(broker) or False,
        transport_options={**options, "max_retries": 1, "interval_start": 0},
    )
