"""A hint to the reconciler that a job is worth looking at; it saves seconds, and may get lost."""

from __future__ import annotations

from typing import Any

from kombu.connection import Connection
from kombu.exceptions import KombuError

from pipeline.manifest.message import ADMIT, Message
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings

#: Nobody waits longer for what is only a hint.
PATIENCE_S = 2.0


def send(settings: Settings, ref: JobRef) -> bool:
    """Tell the reconciler of a job; False when the broker cannot be reached now."""
    broker = (settings.broker_url or settings.redis_url).get_secret_value()
    connection = _connection(broker)
    try:
        with connection:
            outbox = connection.SimpleQueue(ADMIT, serializer="json")
            outbox.put(Message(tenant=ref.tenant, job=ref.id).fields())
            outbox.close()
    except (KombuError, OSError, KeyError):  # the last: no such kind of broker
        return False
    except connection.connection_errors + connection.channel_errors:
        return False
    return True


def _connection(broker: str) -> Any:
    options = {
        "socket_timeout": PATIENCE_S,
        "socket_connect_timeout": PATIENCE_S,
        "retry_on_timeout": False,
        "max_retries": 1,
        "interval_start": 0,
    }
    return Connection(  # type: ignore[no-untyped-call]
        broker, connect_timeout=PATIENCE_S, transport_options=options
    )
