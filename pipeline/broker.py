"""Which broker a URL names, and how it is trusted; known to those who send and those who work."""

from __future__ import annotations

import ssl
from typing import Any


def is_amqp(url: str) -> bool:
    """Tell whether the broker is RabbitMQ rather than Redis."""
    return url.startswith(("amqp://", "amqps://", "pyamqp://"))


def tls(url: str) -> dict[str, Any] | None:
    """Return how a broker behind TLS is asked for its certificate; None without TLS.

    By themselves the clients encrypt, but believe whoever answers. For `rediss://` what the URL
    says (`?ssl_ca_certs=/path`) is heeded besides. SSL_CERT_FILE names authorities besides the
    system's.
    """
    if url.startswith("amqps://"):
        return {"context": {"check_hostname": True}, "server_hostname": None}  # None: the URL's
    if url.startswith("rediss://"):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return None
