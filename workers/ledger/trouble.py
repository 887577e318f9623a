"""How long Redis is waited for, and what is said when it does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import redis

from pipeline.errors import TransientError

T = TypeVar("T")

#: Trouble with the connection is waited out for so long: a restart of Redis goes unnoticed.
PATIENCE_S = 8.0
#: Between two tries: at first, and at most; doubled each time.
FIRST_PAUSE_S, MAX_PAUSE_S = 0.05, 1.0
#: Stands in what is told of a server whose certificate nobody vouches for.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"


class LedgerUnavailableError(TransientError):
    """Redis does not answer, or not now."""


def ask(where: str, act: Callable[[], T]) -> T:
    """Ask Redis, again while the connection fails; nothing in the ledger minds being asked twice.

    Args:
        where: Host and port, for messages.
        act: Asks.

    Raises:
        LedgerUnavailableError: It does not answer, or refuses.
    """
    until_s, pause_s = time.monotonic() + PATIENCE_S, FIRST_PAUSE_S
    while True:
        try:
            return act()
        except redis.RedisError as error:
            is_passing = isinstance(error, redis.ConnectionError | redis.TimeoutError)
            is_refused = isinstance(error, redis.AuthenticationError) or UNTRUSTED in str(error)
            if not is_passing or is_refused or time.monotonic() > until_s:
                raise LedgerUnavailableError(_said(error, where)) from error
        time.sleep(pause_s)
        pause_s = min(MAX_PAUSE_S, 2 * pause_s)


def _said(error: redis.RedisError, where: str) -> str:
    """Return what happened, where, and what to do."""
    if isinstance(error, redis.AuthenticationError):
        return f"Redis at {where} does not accept the password. Check VOXMILL_REDIS_URL."
    if UNTRUSTED in str(error):
        return (
            f"The certificate of Redis at {where} is not trusted. Say whom to trust: "
            "VOXMILL_REDIS_URL=rediss://…?ssl_ca_certs=/path/of/authorities.pem"
        )
    if "OOM " in str(error):  # scripts that meet it fail with an error of another class
        return f"Redis at {where} is out of memory. Give it more; nothing is lost meanwhile."
    return (
        f"Redis at {where} cannot be used now ({type(error).__name__}). Is it running? Nothing is "
        "lost meanwhile."
    )
