"""Proof that a store keeps what the queue relies on, before anything is trusted to it.

S3-compatible servers differ: some ignore the condition of a write, or check it and write in two
steps. On such a server two workers would both believe that they ended the same job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from pipeline.errors import StorageError, VoxmillError
from pipeline.store.protocol import ObjectStore

#: Writers of one object at the same time, and how often they race.
RIVALS = 24
RACES = 3
#: More than one part of a multipart upload.
LARGE_BYTES = 65_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One property of a store, and whether it has it."""

    name: str
    is_kept: bool
    #: What was seen.
    detail: str


#: Does something to the objects below a prefix; returns what is wrong, "" if nothing is.
Trial = Callable[[ObjectStore], str]


def check(store: ObjectStore, *, is_quick: bool = False) -> Iterator[Finding]:
    """Yield each property as it is tried, on objects below `probe/` that are removed at the end.

    Args:
        store: The store.
        is_quick: Leave out what takes long, as workers do when they start.
    """
    corner = store.below(f"probe/{uuid4().hex}")
    trials = {**QUICK, **({} if is_quick else SLOW)}
    try:
        for name, trial in trials.items():
            try:
                problem = trial(corner)
            except VoxmillError as error:
                problem = str(error)
            yield Finding(name, not problem, problem or "as it should be")
    finally:
        corner.delete_all("x")


def require(store: ObjectStore) -> None:
    """Refuse a store that does not keep what it promises.

    Raises:
        StorageError: Names what it lacks.
    """
    for finding in check(store, is_quick=True):
        if not finding.is_kept:
            raise StorageError(
                f"{store.place('probe')}: this store must not be used for jobs: {finding.name}: "
                f"{finding.detail}. See: voxmill store check"
            )


def _read_after_write(store: ObjectStore) -> str:
    store.put("x/seen", b"1")
    if store.get("x/seen") != b"1":
        return "an object that was just written is not read"
    store.put("x/seen", b"2")
    if store.get("x/seen") != b"2":
        return "an object that was just replaced is read as it was"
    store.delete("x/seen")
    return "" if store.get("x/seen") is None else "an object that was just removed is still read"


def _list_after_write(store: ObjectStore) -> str:
    names = [f"x/listed/{i}" for i in range(5)]
    for name in names:
        store.put(name, b"1")
    found = list(store.names("x/listed"))
    return "" if found == names else f"{len(found)} of {len(names)} new objects are listed"


def _refuses_second(store: ObjectStore) -> str:
    if not store.put_new("x/once", b"first"):
        return "the first conditional write is refused"
    if store.put_new("x/once", b"second"):
        return "a conditional write replaces what is there: the condition is ignored"
    return "" if store.get("x/once") == b"first" else "the refused bytes are there"


def _one_winner(store: ObjectStore, races: int) -> str:
    with ThreadPoolExecutor(RIVALS) as pool:
        for race in range(races):
            name = f"x/race-{races}-{race}"
            rivals = [f"{i:02d}".encode() for i in range(RIVALS)]
            won = list(pool.map(partial(store.put_new, name), rivals))
            winners = [rival for rival, has_won in zip(rivals, won, strict=True) if has_won]
            if len(winners) != 1:
                return f"{len(winners)} of {RIVALS} writes at once succeed, instead of 1"
            if store.get(name) != winners[0]:
                return "what is there is not what the winner wrote"
    return ""


def _file(store: ObjectStore, size_bytes: int) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"voxmill" * (size_bytes // 7))
        put = partial(
            store.put_file, f"x/file-{size_bytes}", path, content_type="audio/flac", metadata={}
        )
        if not put():
            return "the upload of a new file is refused"
        found = store.stat(f"x/file-{size_bytes}")
        if found is None or found.size_bytes != path.stat().st_size:
            return "an uploaded file has another size"
        path.write_bytes(b"another")
        return "an upload replaces what is there: the condition is ignored" if put() else ""


QUICK: dict[str, Trial] = {
    "reads what was written": _read_after_write,
    "lists what was written": _list_after_write,
    "writes under a condition": _refuses_second,
    "has one winner of a race": partial(_one_winner, races=1),
}
SLOW: dict[str, Trial] = {
    "has one winner of many races": partial(_one_winner, races=RACES),
    "takes files": partial(_file, size_bytes=100_000),
    "takes files in parts, under a condition": partial(_file, size_bytes=LARGE_BYTES),
}
