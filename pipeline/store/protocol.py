"""What a store promises: named objects, each written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of an object without reading it."""

    size_bytes: int
    #: Digest of its bytes in hex, where the store has been told.
    sha256: str | None
    content_type: str


class ObjectStore(Protocol):
    """Named objects, names being like `jobs/1/plan.json`.

    Every method may raise `StoreUnavailableError` (try again) and `StorageError` (a person must
    do something).
    """

    def place(self, name: str) -> str:
        """Return where the object lies, for messages: a path or an `s3://` address."""
        ...

    def below(self, prefix: str) -> ObjectStore:
        """Return the store of what lies below `prefix/`."""
        ...

    def get(self, name: str) -> bytes | None:
        """Return the object, or None when there is none."""
        ...

    def exists(self, name: str) -> bool:
        """Tell whether the object is there."""
        ...

    def stat(self, name: str) -> Stat | None:
        """Return what is known of the object, or None when there is none."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write the object, replacing an older one."""
        ...

    def put_new(self, name: str, data: bytes) -> bool:
        """Write the object unless it is there; tell whether this call wrote it.

        Of calls at the same time, on any machines, one returns True. A call that had to be
        repeated because its answer got lost returns True when what is there are its own bytes.
        """
        ...

    def put_file(
        self, name: str, path: Path, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Write a file's bytes in bounded memory unless the object is there, checked on arrival.

        Servers differ in how they settle a race of large files: several may be told that theirs
        is there, and one is. So a file's name must tell its bytes, as an edition's does.

        Returns:
            Whether what is there is this file.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        ...

    def delete_all(self, prefix: str) -> None:
        """Remove every object below `prefix/`, half-written ones too."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of all objects below `prefix/`, those of one folder in order."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the last part of each prefix right below `prefix/`, in order."""
        ...

    def link(self, name: str, expires_s: int) -> str:
        """Return an address that a browser can open until it expires."""
        ...
