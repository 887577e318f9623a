"""Faults at exact points of a worker's life; Python imports this before anything of ours.

    CHAOS_KILL='done/0001\\.json$'   the process is killed when it has written such an object, once
    CHAOS_KILL_PARENT=1             its supervisor dies with it
    CHAOS_KILLED=/path              the file that says that it has happened
    CHAOS_COPIES=10                 every message is published so many times
    CHAOS_CLOCK_S=3600              the process's clock is wrong by so much
    CHAOS_REDELIVERED_S=5           the broker's patience with messages that are not acknowledged
    CHAOS_S3_PATIENCE_S=2           an S3 server may keep silent for so long

Killing works where the store is a folder.
"""

from __future__ import annotations

import os
import re
import signal
import time
from typing import Any


def kill_on_write(pattern: str, told: str) -> None:
    from pipeline.store.local import LocalStore

    def killing(write: Any) -> Any:
        def written(self: LocalStore, name: str, *arguments: Any, **options: Any) -> bool:
            is_ours: bool = write(self, name, *arguments, **options)
            if is_ours and re.search(pattern, name) and is_first(told):
                if os.environ.get("CHAOS_KILL_PARENT"):
                    os.kill(os.getppid(), signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            return is_ours

        return written

    LocalStore.put_new = killing(LocalStore.put_new)  # type: ignore[method-assign]
    LocalStore.put_file = killing(LocalStore.put_file)  # type: ignore[method-assign]


def is_first(told: str) -> bool:
    try:
        os.close(os.open(told, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def publish_copies(n: int) -> None:
    from workers.sending import Sender

    send = Sender.send

    def send_copies(self: Sender, stage: Any, item: Any, priority: Any, at: Any = None) -> None:
        known = self.ledger.queued(stage, item, priority) if at is None else at
        for _ in range(n):
            send(self, stage, item, priority, known)

    Sender.send = send_copies  # type: ignore[method-assign]


def shift_clock(shift_s: float) -> None:
    right = time.time
    time.time = lambda: right() + shift_s


def redeliver_after(patience_s: int) -> None:
    from workers import app

    chosen = app._redis

    def impatient(settings: Any) -> dict[str, Any]:
        options = chosen(settings)
        options["broker_transport_options"] |= {
            "visibility_timeout": patience_s,
            "unacked_restore_interval": 1,
        }
        return options

    app._redis = impatient


def await_s3(patience_s: float) -> None:
    from pipeline.store import s3_client

    defaults = s3_client.connect.__kwdefaults__
    assert defaults
    defaults["read_timeout_s"] = patience_s


if clock := os.environ.get("CHAOS_CLOCK_S"):
    shift_clock(float(clock))
if pattern := os.environ.get("CHAOS_KILL"):
    kill_on_write(pattern, os.environ["CHAOS_KILLED"])
if copies := os.environ.get("CHAOS_COPIES"):
    publish_copies(int(copies))
if patience := os.environ.get("CHAOS_REDELIVERED_S"):
    redeliver_after(int(patience))
if patience := os.environ.get("CHAOS_S3_PATIENCE_S"):
    await_s3(float(patience))
