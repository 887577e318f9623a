"""A folder to put a book together in; what dead processes left behind is cleared away."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.store.local import explain

PREFIX = "voxmill-book-"
LOCK = "lock"
#: How the user chooses another place, for messages.
ELSEWHERE = "with VOXMILL_SCRATCH_DIR"


@contextmanager
def held(below: Path) -> Iterator[Path]:
    """Make a folder of this process's own, and remove it at the end.

    A process that is killed cannot remove its folder. But it holds a lock in it, which the
    operating system frees, so the next one here can tell.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    try:
        below.mkdir(parents=True, exist_ok=True)
        _clear(below)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=below))
        file = (folder / f"{LOCK}.new").open("w")
    except OSError as error:
        raise explain(error, below, ELSEWHERE) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Only now: others take a folder with a free lock for a dead process's.
        (folder / f"{LOCK}.new").rename(folder / LOCK)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _clear(below: Path) -> None:
    """Remove the folders of processes that are gone."""
    for folder in below.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
