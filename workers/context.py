"""What a worker process has at hand: the store, the ledger, the way to send, the models."""

from __future__ import annotations

import functools
import socket
from dataclasses import dataclass

from celery import Celery

from pipeline.errors import RequestError
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from workers import ledger
from workers.ledger import Ledger
from workers.sending import Sender
from workers.tools import Tools


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a task needs; one a process."""

    settings: Settings
    #: All tenants' tree.
    root: ObjectStore
    ledger: Ledger
    sender: Sender
    tools: Tools
    #: Names this process in receipts.
    worker: str

    def owner(self, task_id: str, worker: str) -> str:
        """Name who holds a lease: one delivery of a message to one life of a worker.

        RabbitMQ delivers what a killed worker had taken to its next life at once, under the same
        id. That is another attempt, and counted.
        """
        return f"{task_id}@{worker}#{self.settings.process_life}"


def create(app: Celery, settings: Settings) -> Context:
    """Connect a process.

    Raises:
        RequestError: No store is named.
    """
    if not settings.store_url:
        raise RequestError("No store is named. Set VOXMILL_STORE_URL=s3://bucket/prefix.")
    book = ledger.connect(settings.redis_url)
    return Context(
        settings=settings,
        root=open_store(settings.store_url, settings),
        ledger=book,
        sender=Sender(app, book),
        tools=Tools(settings),
        worker=f"{settings.process_name}@{hostname()}",
    )


@functools.cache
def hostname() -> str:
    """Return this machine's name."""
    return socket.gethostname()
