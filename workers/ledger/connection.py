"""The way to Redis."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.errors import RequestError
from workers.ledger.ledger import Ledger

CONNECT_TIMEOUT_S = 5.0
TIMEOUT_S = 5.0


def connect(url: SecretStr) -> Ledger:
    """Return the ledger kept by a Redis server; nothing is sent until it is used.

    Raises:
        RequestError: That is no address of a Redis server.
    """
    try:
        client = redis.Redis.from_url(
            url.get_secret_value(),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_keepalive=True,
            # `trouble.ask` tries again. The client would do so at three levels, each within the
            # other, and wait minutes for a server that accepts connections and never answers.
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
    except ValueError as error:
        raise RequestError(
            "VOXMILL_REDIS_URL is not like redis://user:password@host:6379/0 (rediss:// for TLS)."
        ) from error
    return Ledger(client, place(url))


def place(url: SecretStr) -> str:
    """Return host and port of an address, without what is secret in it."""
    parts = urlsplit(url.get_secret_value())
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"
