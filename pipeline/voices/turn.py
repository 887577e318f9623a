"""Changes to the voices of a store, one process at a time.

In a folder, a lock of the operating system tells whose turn it is. In a bucket, turns are numbered
objects: `voices.turn/00000007` is created by whoever takes turn 7, and only one can; with
`voices.turn/00000007.over` it ends. No clocks are compared: a turn whose holder died is over when
somebody who waits has seen no change for long enough.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid4

from pipeline import names
from pipeline.errors import BusyError
from pipeline.store.local import LocalStore, explain
from pipeline.store.protocol import ObjectStore

#: A turn in a bucket ends when its holder has not ended it for so long …
TURN_S = 60.0
#: … and is waited for no longer than this.
PATIENCE_S = 180.0
POLL_S = 0.2
OVER = ".over"

#: Raises `BusyError` when the turn was lost to somebody else.
RequireTurn = Callable[[], None]


@contextmanager
def taken(store: ObjectStore) -> Iterator[RequireTurn]:
    """Wait for this process's turn.

    Whoever has the turn first removes what a killed process left behind: audio without a record
    belongs to no voice, and nobody may keep it. So a voice's audio is safe only while the turn
    lasts, and its record may be written only after `RequireTurn` was asked.

    Raises:
        BusyError: Others do not let go.
    """
    turn = _in_folder(store) if isinstance(store, LocalStore) else _in_bucket(store)
    with turn as require_turn:
        _sweep(store)
        yield require_turn


def folders(store: ObjectStore) -> list[UUID]:
    """Return the UUIDs under which there is anything, in order."""
    return sorted(UUID(name) for name in store.folders(names.VOICES) if _is_uuid(name))


@contextmanager
def _in_folder(store: LocalStore) -> Iterator[RequireTurn]:
    """Hold a lock, which ends with the process and not before."""
    path = store.root / f"{names.VOICES}.lock"
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise explain(error, store.root, store.elsewhere) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: None


@contextmanager
def _in_bucket(store: ObjectStore) -> Iterator[RequireTurn]:
    number = _await_number(store)
    try:
        yield partial(_require, store, number)
    finally:
        store.put_new(names.voices_turn(number) + OVER, b"")


def _await_number(store: ObjectStore) -> int:
    """Wait until the turn is ours, and return its number."""
    watched, since_s, until_s = _last(store), time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        seen = _last(store)
        if seen != watched:
            watched, since_s = seen, time.monotonic()
        number, is_over = seen
        if (is_over or time.monotonic() - since_s > TURN_S) and _claim(store, number + 1):
            return number + 1
        time.sleep(POLL_S)
    raise BusyError(
        f"{store.place(names.VOICES_TURN)}: others are changing voices all the time. Try again."
    )


def _claim(store: ObjectStore, number: int) -> bool:
    """Take a turn; False when somebody was faster.

    Where time has passed since the last turn was looked up, this one may be over and forgotten;
    then a later one is there.
    """
    name = names.voices_turn(number)
    if not store.put_new(name, uuid4().bytes) or _last(store)[0] != number:
        return False
    for older in store.names(names.VOICES_TURN):
        if older < name:
            store.delete(older)
    return True


def _last(store: ObjectStore) -> tuple[int, bool]:
    """Return the number of the last turn, 0 before the first, and whether it is over."""
    name = max(store.names(names.VOICES_TURN), default=names.voices_turn(0) + OVER)
    return int(name.rpartition("/")[2].removesuffix(OVER)), name.endswith(OVER)


def _require(store: ObjectStore, number: int) -> None:
    if _last(store) != (number, False):
        raise BusyError(
            f"{store.place(names.VOICES_TURN)}: somebody else is changing voices, since this "
            "change took too long. Try again."
        )


def _sweep(store: ObjectStore) -> None:
    there = set(store.names(names.VOICES))
    for uuid in folders(store):
        if names.voice_record(uuid) not in there:
            store.delete_all(names.voice(uuid))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
