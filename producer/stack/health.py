"""Whether a process of the stack does what it should, or should be replaced: asked, not assumed."""

from __future__ import annotations

import urllib.error
import urllib.request

from pipeline import local_stack
from pipeline.local_stack import StackProcess, StackState
from pipeline.settings import Settings
from producer.stack.servers import LOOPBACK

#: How long a process may take to answer.
ANSWER_S = 3.0


def is_healthy(process: StackProcess, state: StackState) -> bool:
    """Tell whether a process lives, answers, and does its work."""
    return _answers(process, state, "readyz")


def is_sound(process: StackProcess, state: StackState) -> bool:
    """Tell whether a process should be left alone; it may wait for another that is not sound."""
    return _answers(process, state, "healthz")


def settings_for(state: StackState) -> Settings:
    """Return this machine's settings, reaching a stack."""
    return Settings().model_copy(update=local_stack.reaching(state))


def _answers(process: StackProcess, state: StackState, page: str) -> bool:
    if not local_stack.is_running(process) or process.port is None:
        return False
    if process.name == "redis":
        return _redis_answers(state)
    if process.name == "s3":
        return _s3_answers(state)
    return _says_yes(process.port, page)


def _redis_answers(state: StackState) -> bool:
    import redis  # noqa: PLC0415 - part of what may not be installed
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    client = redis.Redis.from_url(
        state.redis_url,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _s3_answers(state: StackState) -> bool:
    from pipeline.store import s3_client  # noqa: PLC0415 - a second of importing

    return s3_client.answers(settings_for(state))


def _says_yes(port: int, page: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/{page}", timeout=ANSWER_S) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
