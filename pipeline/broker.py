"""Which broker a URL names, and how it is trusted; known to those who send and those who work."""

from __future__ import annotations

from typing import Any


def is_amqp(url: str) -> bool:
    """Tell whether the broker is RabbitMQ rather than Redis."""
    return url.startswith(("amqp://", "amqps://", "pyamqp://"))


def tls(url: str) -> dict[str, Any] | None:
    """Return how an `amqps://` broker is asked for its certificate; None for any other.

    By itself the AMQP client encrypts, but believes whoever answers. SSL_CERT_FILE names
    authorities besides the system's.
    """
    if not url.startswith("amqps://"):
        return None
    return {"context": {"check_hostname": True}, "server_hostname": None}  # None: the URL's
