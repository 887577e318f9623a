"""Changes to the voices of a store, one process at a time."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from pipeline import names
from pipeline.errors import BusyError
from pipeline.store.local import LocalStore, explain
from pipeline.store.protocol import ObjectStore

#: In a bucket, who has the turn is named by an object; a turn is over after so long …
TURN_S = 120.0
#: … and is waited for no longer than this.
PATIENCE_S = 180.0
POLL_S = 0.2


@contextmanager
def taken(store: ObjectStore) -> Iterator[None]:
    """Wait for this process's turn.

    Whoever has the turn first removes what a killed process left behind: audio without a record
    belongs to no voice, and nobody may keep it.

    Raises:
        BusyError: Others do not let go.
    """
    with _in_folder(store) if isinstance(store, LocalStore) else _in_bucket(store):
        _sweep(store)
        yield


def folders(store: ObjectStore) -> list[UUID]:
    """Return the UUIDs under which there is anything, in order."""
    return sorted(UUID(name) for name in store.folders(names.VOICES) if _is_uuid(name))


@contextmanager
def _in_folder(store: LocalStore) -> Iterator[None]:
    """Hold a lock of the operating system, which ends with the process."""
    path = store.root / f"{names.VOICES}.lock"
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise explain(error, store.root, store.elsewhere) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _in_bucket(store: ObjectStore) -> Iterator[None]:
    """Hold an object that only one can create; what a dead process left is taken over in time."""
    owner, until_s = uuid4().hex, time.monotonic() + PATIENCE_S
    while not store.put_new(names.VOICES_TURN, _claim(owner)):
        _take_over(store)
        if time.monotonic() > until_s:
            raise BusyError(
                f"{store.place(names.VOICES_TURN)}: others are changing voices all the time. Try "
                "again."
            )
        time.sleep(POLL_S)
    try:
        yield
    finally:
        standing = store.get(names.VOICES_TURN)
        if standing and json.loads(standing)["owner"] == owner:
            store.delete(names.VOICES_TURN)


def _claim(owner: str) -> bytes:
    return json.dumps({"owner": owner, "until_s": time.time() + TURN_S}).encode()


def _take_over(store: ObjectStore) -> None:
    """Remove a claim whose time is over."""
    standing = store.get(names.VOICES_TURN)
    if standing and json.loads(standing)["until_s"] < time.time():
        store.delete(names.VOICES_TURN)


def _sweep(store: ObjectStore) -> None:
    for uuid in folders(store):
        if not store.exists(names.voice_record(uuid)):
            store.delete_all(names.voice(uuid))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
