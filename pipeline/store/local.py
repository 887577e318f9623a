"""Objects in a local folder; the same tree as in a bucket.

Every write is atomic: a reader sees the whole object or none, and a crash leaves at most a
temporary file that nobody reads.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import StorageError

#: Marks files that are still being written.
TEMPORARY = ".part"


class LocalStore:
    """Named objects below a folder.

    Args:
        root: The folder.
        elsewhere: How the user chooses another one, for messages.
    """

    def __init__(self, root: Path, elsewhere: str = "with --out") -> None:
        self.root, self.elsewhere = root, elsewhere

    def path(self, name: str) -> Path:
        """Return where the object lies or would lie."""
        parts = name.split("/")
        assert all(part not in ("", ".", "..") for part in parts), f"not an object name: {name}"
        return self.root.joinpath(*parts)

    def get(self, name: str) -> bytes | None:
        """Return the object, or None when there is none."""
        with self._explained():
            try:
                return self.path(name).read_bytes()
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """Tell whether the object is there."""
        return self.path(name).is_file()

    def put(self, name: str, data: bytes) -> None:
        """Write the object, replacing an older one."""
        with self._explained(), self._written(name, data) as temporary:
            temporary.replace(self.path(name))

    def put_new(self, name: str, data: bytes) -> bool:
        """Write the object unless it is there; tell whether this call wrote it."""
        with self._explained(), self._written(name, data) as temporary:
            try:
                os.link(temporary, self.path(name))
            except FileExistsError:
                return False
            return True

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        with self._explained():
            self.path(name).unlink(missing_ok=True)

    def delete_all(self, prefix: str) -> None:
        """Remove every object below `prefix/`, half-written ones and the folders too."""
        with self._explained():
            if self.path(prefix).is_dir():
                shutil.rmtree(self.path(prefix))

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of all objects below `prefix/`, in order."""
        for path in sorted(self.path(prefix).rglob("*")):
            if path.is_file() and path.suffix != TEMPORARY:
                yield path.relative_to(self.root).as_posix()

    @contextmanager
    def _written(self, name: str, data: bytes) -> Iterator[Path]:
        folder = self.path(name).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(suffix=TEMPORARY, dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield Path(temporary)
        finally:
            with suppress(FileNotFoundError):
                Path(temporary).unlink()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the operating system's refusals into errors that name the folder and the remedy."""
        try:
            yield
        except OSError as error:
            raise explain(error, self.root, self.elsewhere) from error


def explain(error: OSError, folder: Path, elsewhere: str = "with --out") -> StorageError:
    """Return the error to show for an operating system's refusal to read or write in a folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"{folder}: the disk is full. Free some space and run the same command again: "
            "finished chunks are kept."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{error.filename or folder}: permission denied. Choose another folder {elsewhere}, "
            "or make this one writable."
        )
    return StorageError(f"{error.filename or folder}: {error.strerror}.")
