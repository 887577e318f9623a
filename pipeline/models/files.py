"""One file in a model folder: half-made under another name, then whole or not at all."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StorageError, TransientError
from pipeline.models.sources import ModelFile

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


def git_sha1(path: Path) -> str:
    """Return git's hash of the file, in lower-case hex."""
    content = path.read_bytes()
    digest = hashlib.sha1(f"blob {len(content)}\0".encode(), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def fits(path: Path, pin: ModelFile) -> bool:
    """Tell whether the file is what is known of it beforehand."""
    return (
        pin.size_bytes in (0, path.stat().st_size)
        and pin.sha256 in ("", sha256(path))
        and (not pin.git_sha1 or pin.git_sha1 == git_sha1(path))
    )


def half_made(folder: Path, pin: ModelFile) -> Path:
    """Return where the file grows; named by its hash, so that editions never mix."""
    target = folder / pin.name
    mark = (pin.sha256 or pin.git_sha1 or "unknown")[:12]
    return target.with_name(f".{target.name}.{mark}.part")


def parts(folder: Path, pin: ModelFile) -> list[Path]:
    """Return what was begun of the file, in whatever edition."""
    target = folder / pin.name
    return list(target.parent.glob(f".{glob.escape(target.name)}.*.part"))


def install(folder: Path, pin: ModelFile) -> bool:
    """Give the finished file its name if its bytes are the right ones; else remove it."""
    part = half_made(folder, pin)
    if not fits(part, pin):
        part.unlink()
        return False
    part.replace(folder / pin.name)
    return True


def write_json(path: Path, content: object) -> None:
    """Write the file whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    Path(temporary).replace(path)


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
