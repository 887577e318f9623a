"""Changes to the voices of a store, one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pipeline import names
from pipeline.store.local import LocalStore, explain


@contextmanager
def taken(store: LocalStore) -> Iterator[None]:
    """Wait for this process's turn; the system ends it when the process does.

    Whoever has the turn first removes what a killed process left behind: audio without a record
    belongs to no voice, and nobody may keep it.
    """
    path = store.root / f"{names.VOICES}.lock"
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise explain(error, store.root, store.elsewhere) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _sweep(store)
        yield


def _sweep(store: LocalStore) -> None:
    for uuid in folders(store):
        if not store.exists(names.voice_record(uuid)):
            store.delete_all(names.voice(uuid))


def folders(store: LocalStore) -> list[UUID]:
    """Return the UUIDs under which there is anything, in order."""
    found = store.path(names.VOICES)
    if not found.is_dir():
        return []
    return sorted(UUID(path.name) for path in found.iterdir() if _is_uuid(path.name))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
