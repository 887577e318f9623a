"""Proof that a store keeps what the queue relies on, before anything is trusted to it.

S3-compatible servers differ: some ignore the condition of a write, or check it and write in two
steps. On such a server two workers would both believe that they ended the same job.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from pipeline.errors import StorageError, VoxmillError
from pipeline.store.protocol import ObjectStore

#: Writers of one object at the same time, and how often they race.
RIVALS = 24
RACES = 5
#: A file that fits into one request, and one that goes in parts.
SMALL_BYTES, LARGE_BYTES = 100_000, 65_000_000
LINK_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One property of a store, and whether it has it."""

    name: str
    is_kept: bool
    #: What was seen.
    detail: str
    #: What relies on it, as the subject of a sentence.
    needed_for: str


@dataclass(frozen=True, slots=True)
class Property:
    """What a store must keep."""

    name: str
    #: Does something to the objects below `x/`; returns what is wrong, "" if nothing is.
    trial: Callable[[ObjectStore], str]
    needed_for: str


def check(store: ObjectStore) -> Iterator[Finding]:
    """Yield each property as it is tried, on objects below `probe/` that are removed at the end."""
    with _corner(store) as corner:
        for each in (*QUICK, *SLOW):
            try:
                problem = each.trial(corner)
            except VoxmillError as error:
                problem = str(error)
            yield Finding(each.name, not problem, problem or "as it should be", each.needed_for)


def require(store: ObjectStore) -> None:
    """Refuse a store that does not keep what it promises; in less than a second where it does.

    Raises:
        StorageError: Names what it lacks, and what needs that.
        StoreUnavailableError: It cannot be tried now.
    """
    with _corner(store) as corner:
        for each in QUICK:
            problem = each.trial(corner)
            if problem:
                raise StorageError(
                    f"{store.place('probe')}: this store must not be used for jobs: {problem}. "
                    f"{each.needed_for} need a store that {each.name}. See: voxmill store check"
                )


@contextmanager
def _corner(store: ObjectStore) -> Iterator[ObjectStore]:
    """Yield a part of the store that is empty, and nobody else's."""
    prefix = f"probe/{uuid4().hex}"
    try:
        yield store.below(prefix)
    finally:
        with suppress(VoxmillError):  # why that fails was found before
            store.delete_all(prefix)


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
    name = f"x/file-{size_bytes}"
    put = partial(store.put_file, name, content_type="audio/flac", metadata={})
    with TemporaryDirectory() as folder:
        first, second = (_filled(Path(folder), byte, size_bytes) for byte in (b"1", b"2"))
        if not put(first):
            return "the upload of a new file is refused"
        found = store.stat(name)
        if found is None or found.size_bytes != size_bytes:
            return "an uploaded file has another size"
        if put(second):
            return "an upload replaces what is there: the condition is ignored"
        after = store.stat(name)
    return "" if found == after else "the refused file is there"


def _filled(folder: Path, byte: bytes, size_bytes: int) -> Path:
    path = folder / byte.decode()
    path.write_bytes(byte * size_bytes)
    return path


def _digest(store: ObjectStore) -> str:
    store.put("x/digest", b"1")
    found = store.stat("x/digest")
    if found is None or found.sha256 != hashlib.sha256(b"1").hexdigest():
        return "the digest that was given with an object is not kept"
    return ""


def _link(store: ObjectStore) -> str:
    store.put("x/linked", b"1")
    try:
        # An address that the store itself has made: https, http, or of a file.
        link = store.link("x/linked", LINK_S)
        with urllib.request.urlopen(link, timeout=LINK_S) as answer:  # noqa: S310
            return "" if answer.read() == b"1" else "a link leads elsewhere"
    except OSError as error:
        return f"a link cannot be opened from here: {error}"


QUICK = (
    Property("reads what was written last", _read_after_write, "Receipts"),
    Property("lists what was written", _list_after_write, "Reconcilers and finalizers"),
    Property("keeps digests", _digest, "Writes that are repeated, since an answer got lost,"),
    Property("writes only what is not there", _refuses_second, "Results, which are written once,"),
    Property(
        "has one winner of a race",
        partial(_one_winner, races=1),
        "Jobs that are cancelled while they end",
    ),
)
SLOW = (
    Property(
        "has one winner of many races",
        partial(_one_winner, races=RACES),
        "Jobs that are cancelled while they end",
    ),
    Property("takes files", partial(_file, size_bytes=SMALL_BYTES), "Finished books"),
    Property("takes files in parts", partial(_file, size_bytes=LARGE_BYTES), "Long books"),
    Property("gives links", _link, "Links to finished books"),
)
