"""Finished files appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.store.local import TEMPORARY, explain


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target; what was written there then takes its place.

    When the body fails, the temporary file is removed and the target stays as it was. The
    temporary name is the same every time, so what a crash leaves is overwritten by the next run.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    # Short whatever the target is called: a name near the limit has no room for a suffix.
    digest = hashlib.sha256(target.name.encode()).hexdigest()[:16]
    temporary = target.with_name(f".{digest}{TEMPORARY}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(target)
        _flush(target.parent)
    except OSError as error:
        raise explain(error, target.parent) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(target: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_bytes(target, text.encode())


def write_bytes(target: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_bytes(data)


def _flush(path: Path) -> None:
    """Make sure that a file's bytes, or a folder's names, have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
