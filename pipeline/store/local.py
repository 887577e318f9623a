"""Objects in a local folder; the same tree as in a bucket.

Every write is atomic: a reader sees the whole object or none, and a crash leaves at most a
temporary file that nobody reads.
"""

from __future__ import annotations

import errno
import hashlib
import mimetypes
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.store.protocol import Stat

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

    def place(self, name: str) -> str:
        """Return the object's path, for messages."""
        return str(self.path(name))

    def below(self, prefix: str) -> LocalStore:
        """Return the store of what lies below `prefix/`."""
        return LocalStore(self.path(prefix), self.elsewhere)

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

    def stat(self, name: str) -> Stat | None:
        """Return what is known of the object; a folder knows its digest only by reading it."""
        with self._explained():
            try:
                with self.path(name).open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                    size_bytes = file.tell()
            except FileNotFoundError:
                return None
        content_type, _ = mimetypes.guess_type(name)
        return Stat(size_bytes, digest, content_type or "application/octet-stream")

    def put(self, name: str, data: bytes) -> None:
        """Write the object, replacing an older one."""
        with self._explained(), self._written(name, data) as temporary:
            temporary.replace(self.path(name))

    def put_new(self, name: str, data: bytes) -> bool:
        """Write the object unless it is there; tell whether this call wrote it."""
        with self._explained(), self._written(name, data) as temporary:
            return self._linked(temporary, name)

    def put_file(
        self,
        name: str,
        path: Path,
        *,
        content_type: str,  # noqa: ARG002 - a folder knows it by the name's ending
        metadata: Mapping[str, str],  # noqa: ARG002 - and has no place for these
    ) -> bool:
        """Copy a file unless the object is there; tell whether this call wrote it."""
        with self._explained(), self._temporary(name) as temporary:
            shutil.copyfile(path, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            return self._linked(temporary, name)

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
        """Yield the names of all objects below `prefix/`, those of one folder in order."""
        found = [path for path in self.path(prefix).rglob("*") if path.suffix != TEMPORARY]
        for name in sorted(path.relative_to(self.root).as_posix() for path in found):
            if self.path(name).is_file():
                yield name

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the last part of each prefix right below `prefix/`, in order."""
        if self.path(prefix).is_dir():
            yield from sorted(path.name for path in self.path(prefix).iterdir() if path.is_dir())

    def link(self, name: str, expires_s: int) -> str:  # noqa: ARG002 - a path does not expire
        """Return the object's address."""
        return self.path(name).absolute().as_uri()

    def _linked(self, temporary: Path, name: str) -> bool:
        """Give a whole file its name, unless that is taken."""
        try:
            os.link(temporary, self.path(name))
        except FileExistsError:
            return False
        return True

    @contextmanager
    def _written(self, name: str, data: bytes) -> Iterator[Path]:
        with self._temporary(name) as temporary:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield temporary

    @contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        folder = self.path(name).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(suffix=TEMPORARY, dir=folder)
        os.close(handle)
        try:
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
