"""What Redis refuses, as errors that say where and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from pipeline.errors import TransientError


class LedgerUnavailableError(TransientError):
    """Redis does not answer, or not now."""


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what Redis refuses into an error that says where and what to do."""
    try:
        yield
    except redis.AuthenticationError as error:
        raise LedgerUnavailableError(
            f"Redis at {where} does not accept the password. Check VOXMILL_REDIS_URL."
        ) from error
    except redis.OutOfMemoryError as error:
        raise LedgerUnavailableError(
            f"Redis at {where} is out of memory. Give it more; nothing is lost meanwhile."
        ) from error
    except redis.RedisError as error:
        raise LedgerUnavailableError(
            f"Redis at {where} cannot be used now ({type(error).__name__}). Is it running? Nothing "
            "is lost meanwhile."
        ) from error
