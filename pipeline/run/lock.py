"""One render at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import BusyError
from pipeline.store.local import explain


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder; the operating system lets go when the process ends, however it ends.

    Raises:
        BusyError: Another process holds it.
        StorageError: The folder cannot be written.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise explain(error, folder) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BusyError(
                f"Another render (process {holder}) is writing into {folder.parent}. "
                "Wait for it, or choose another folder with --out."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
