"""One pinned file in a model folder: half-made under another name, then whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StorageError, TransientError
from pipeline.models.catalogue import ModelFile

#: Called as (what is fetched, bytes done, bytes in all).
Progress = Callable[[str, int, int], None]

#: Bytes read at once.
BLOCK_BYTES = 1 << 20

#: Left free on the disk beside the model.
SPARE_BYTES = 64 << 20


class SourceError(TransientError):
    """One source cannot give the model; the next one may."""


def silent(what: str, done_bytes: int, total_bytes: int) -> None:
    """Show no progress."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file's content, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def half_made(folder: Path, pin: ModelFile) -> Path:
    """Return where the file grows; named by its pin, so that editions never mix."""
    target = folder / pin.name
    return target.with_name(f".{target.name}.{pin.sha256[:12]}.part")


def install(folder: Path, pin: ModelFile) -> bool:
    """Give the finished file its name if its bytes are the pinned ones; else remove it."""
    part = half_made(folder, pin)
    if part.stat().st_size != pin.size_bytes or sha256(part) != pin.sha256:
        part.unlink()
        return False
    part.replace(folder / pin.name)
    return True


def require_space(folder: Path, needed_bytes: int) -> None:
    """Refuse early when the disk is too full.

    Raises:
        StorageError: Less is free than the model needs.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise StorageError(
            f"{folder}: the disk has {free / 1e6:.0f} MB free, and the model needs "
            f"{(needed_bytes + SPARE_BYTES) / 1e6:.0f} MB. Free some space, or keep models "
            "elsewhere: set VOXMILL_MODELS_DIR."
        )


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals into errors that name the folder and the remedy."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "the disk is full. Free some space and run the same command again (it goes on where "
            "it stopped), or keep models elsewhere: set VOXMILL_MODELS_DIR."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            "permission denied. Make the model folder writable, or keep models elsewhere: "
            "set VOXMILL_MODELS_DIR."
        )
    return f"{error.strerror or error}. Keep models elsewhere: set VOXMILL_MODELS_DIR."
