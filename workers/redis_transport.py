"""Messages over Redis, for workers that outlive a Redis which refuses for a while.

When Redis has no memory left, cannot write to its disk, or has just become a replica, it answers
with a refusal. Celery takes that for a fault of its own and ends the worker, and with it models
that took minutes to load. Here it counts as a lost connection, which is waited out.
"""

from __future__ import annotations

from kombu import transport
from kombu.transport import redis
from redis import ResponseError


class Transport(redis.Transport):
    """Kombu's own, but for what it takes for trouble that passes."""

    connection_errors = (*redis.Transport.connection_errors, ResponseError)


def register() -> None:
    """Have it used for `redis://` and `rediss://`, by this process."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
