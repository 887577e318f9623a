"""How many messages each queue holds, as far as the broker tells."""

from __future__ import annotations

from celery import Celery

from pipeline.manifest.job import Priority
from pipeline.manifest.message import STAGES, Stage, queue
from workers.app import is_amqp
from workers.sending import REDIS_PRIORITIES

#: How kombu names the list of a priority other than 0 on Redis.
SEPARATOR = "\x06\x16"


def depths(app: Celery) -> dict[tuple[Stage, Priority], int]:
    """Return the messages that wait, by stage and priority.

    RabbitMQ tells only how many there are in all; they are counted as of each priority.
    """
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        try:
            if is_amqp(str(app.conf.broker_url)):
                return {
                    (stage, priority): _declared(channel, queue(stage))
                    for stage in STAGES
                    for priority in REDIS_PRIORITIES
                }
            return {
                (stage, priority): int(channel.client.llen(_list(queue(stage), step)))
                for stage in STAGES
                for priority, step in REDIS_PRIORITIES.items()
            }
        finally:
            channel.close()


def _list(name: str, step: int) -> str:
    return f"{name}{SEPARATOR}{step}" if step else name


def _declared(channel: object, name: str) -> int:
    declared = channel.queue_declare(name, passive=True)  # type: ignore[attr-defined]
    return int(declared.message_count)
