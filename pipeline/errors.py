"""Every error Voxmill raises on purpose; the class decides the exit code and whether to retry.

    VoxmillError
    ├── TransientError            retry with backoff
    │   ├── BusyError             another render holds the folder
    │   ├── StoreUnavailableError the object store does not answer, or not now
    │   ├── IncompleteError       chunks are missing: they must be made before the book is
    │   ├── MismatchError         this worker is not the one that the job was planned for
    │   ├── ShortageError         memory does not suffice for anything
    │   └── QuotaError            the tenant has as much at once as it may
    └── PermanentError            retrying cannot help
        ├── InputError            a file we were given: names the file, the place and the remedy
        │   └── LanguageError     no installed engine speaks the language
        ├── RequestError          the options contradict each other or name something unknown
        │   └── ConflictError     the job id belongs to another request
        ├── MissingToolError      a program or package is not installed
        ├── ModelError            a model is missing, damaged or not what it claims to be
        ├── StorageError          the disk is full, or a folder cannot be written
        ├── CorruptObjectError    a stored object does not match its checksum
        ├── EngineError           a chunk cannot be synthesized
        │   └── CrashError        … because it kills the process that tries
        └── ProfileError          a finished file misses its delivery profile

Messages are written for the person at the terminal: what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


class VoxmillError(Exception):
    """Something went wrong."""

    #: Exit code of the command that ends with this error.
    exit_code = 1


class TransientError(VoxmillError):
    """Trying again may succeed."""


class BusyError(TransientError):
    """Another process holds what this one needs."""


class StoreUnavailableError(TransientError):
    """The object store does not answer, or not now."""


class IncompleteError(TransientError):
    """Chunks are missing: they must be made before the book can be put together."""


class MismatchError(TransientError):
    """This worker's software or models are not those that the job was planned for."""


class ShortageError(TransientError):
    """Memory does not suffice for anything that is to be done."""


class QuotaError(TransientError):
    """The tenant has as much at once as it may."""


class PermanentError(VoxmillError):
    """Trying again gives the same error."""


class InputError(PermanentError):
    """A file that was given cannot be used.

    Args:
        path: The file at fault.
        problem: What is wrong, in one sentence.
        remedy: What the user can do about it.
        place: Where in the file: "line 12", "chapter 3", an archive member.
    """

    exit_code = 2

    def __init__(
        self, path: Path | str, problem: str, *, remedy: str, place: str | None = None
    ) -> None:
        self.path, self.problem, self.remedy, self.place = str(path), problem, remedy, place
        where = f"{path}, {place}" if place else str(path)
        super().__init__(f"{where}: {problem} {remedy}")

    def __reduce__(self) -> tuple[Callable[..., InputError], tuple[Any, ...]]:
        """Let the error travel between processes, its named arguments included."""
        remake = partial(type(self), remedy=self.remedy, place=self.place)
        return remake, (self.path, self.problem)


class LanguageError(InputError):
    """No installed engine speaks the language of the text."""


class RequestError(PermanentError):
    """The options contradict each other or name something unknown."""

    exit_code = 2


class ConflictError(RequestError):
    """The job id belongs to another request."""


class MissingToolError(PermanentError):
    """A program or package that this step needs is not installed."""


class ModelError(PermanentError):
    """A model is missing, damaged or not what it claims to be."""


class StorageError(PermanentError):
    """The disk is full, or a folder cannot be read or written."""


class CorruptObjectError(PermanentError):
    """A stored object does not match its checksum."""


class EngineError(PermanentError):
    """The engine cannot synthesize this chunk."""


class CrashError(EngineError):
    """The engine crashed on this chunk, more than once."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ProfileError(PermanentError):
    """A finished file does not meet its delivery profile."""
