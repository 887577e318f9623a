"""How many messages each queue holds, as far as the broker tells."""

from __future__ import annotations

from celery import Celery
from kombu.connection import Connection

from pipeline.broker import is_amqp
from pipeline.manifest.job import Priority
from pipeline.manifest.message import STAGES, Stage, queue
from workers.sending import REDIS_PRIORITIES

#: How kombu names the list of a priority other than 0 on Redis.
SEPARATOR = "\x06\x16"


def depths(app: Celery) -> dict[tuple[Stage, Priority], int]:
    """Return the messages that wait, by stage and priority.

    RabbitMQ tells only how many there are in all; they are counted as of each priority.
    """
    with app.connection_for_read() as connection:
        if is_amqp(str(app.conf.broker_url)):
            totals = {stage: declared(connection, queue(stage)) for stage in STAGES}
            return {
                (stage, priority): totals[stage]
                for stage in STAGES
                for priority in REDIS_PRIORITIES
            }
        client = connection.default_channel.client
        return {
            (stage, priority): int(client.llen(_list(queue(stage), step)))
            for stage in STAGES
            for priority, step in REDIS_PRIORITIES.items()
        }


def declared(connection: Connection, name: str) -> int:
    """Return how many messages a queue holds; one that nobody has made yet holds none."""
    channel = connection.channel()
    try:
        return int(channel.queue_declare(name, passive=True).message_count)
    except connection.channel_errors:
        return 0
    finally:
        channel.close()


def _list(name: str, step: int) -> str:
    return f"{name}{SEPARATOR}{step}" if step else name
