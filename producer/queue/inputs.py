"""What INPUT stands for: a file, the books in a folder, an object in a bucket, a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import InputError, RequestError
from pipeline.reading.sniff import FORMATS
from pipeline.settings import Settings
from pipeline.store import opening
from pipeline.web import fetch, guard

#: Ending of a manifest of jobs.
MANIFEST = ".jsonl"
#: A larger input is a mistake.
MAX_INPUT_BYTES = 1_000_000_000
#: Objects may have longer names than files.
MAX_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class Books:
    """The books of a folder."""

    paths: tuple[Path, ...]
    #: What else there is: not read.
    skipped: tuple[Path, ...]


def is_remote(text: str) -> bool:
    """Tell whether an input is an address, not a path."""
    return "://" in text


def shown(text: str) -> str:
    """Return an input as it may be shown: the address of a page without what may be secret."""
    return guard.without_secrets(text) if text.startswith(("http://", "https://")) else text


def books(folder: Path) -> Books:
    """Return the books below a folder, sorted by path; hidden files are passed over in silence.

    Raises:
        InputError: There is none.
    """
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    paths = tuple(path for path in files if path.suffix.lower() in FORMATS)
    if not paths:
        raise InputError(
            folder,
            "There is no book in this folder.",
            remedy=f"Books are files that end in {', '.join(sorted(FORMATS))}.",
        )
    return Books(paths, tuple(path for path in files if path not in set(paths)))


@contextmanager
def at_hand(text: str, settings: Settings) -> Iterator[Path]:
    """Give an input as a file on this machine; what had to be fetched is removed afterwards.

    Raises:
        RequestError: The address is of a kind, a bucket or a host that is not allowed.
        InputError: There is nothing there.
    """
    if not is_remote(text):
        yield Path(text)
        return
    with TemporaryDirectory(prefix="voxmill-input-") as folder:
        yield _fetched(text, Path(folder), settings)


def _fetched(url: str, folder: Path, settings: Settings) -> Path:
    if opening.is_s3(url):
        return _from_bucket(url, folder, settings)
    scheme = url.partition("://")[0]
    if scheme not in ("http", "https"):
        raise RequestError(
            f"Inputs at {scheme}:// are not fetched. Give a file, a folder, s3://bucket/key or "
            "https://…"
        )
    try:
        return fetch.fetch(url, folder, settings, MAX_INPUT_BYTES)
    except ValueError as error:
        raise RequestError(f"{shown(url)} is no address: {error}.") from error


def _from_bucket(url: str, folder: Path, settings: Settings) -> Path:
    opening.require_bucket(url, settings)
    parent, _, name = url.rpartition("/")
    address = opening.parse(url)
    if not address.prefix or not name:
        raise RequestError(f"{url} names no object. Give s3://bucket/key.")
    store = opening.open_store(parent, settings)
    found = store.stat(name)
    data = None
    if found and found.size_bytes <= MAX_INPUT_BYTES:
        data = store.get(name)
    elif found:
        raise InputError(
            url,
            f"It has {found.size_bytes:,} bytes; inputs may have {MAX_INPUT_BYTES:,}.",
            remedy="Split it.",
        )
    if data is None:
        raise InputError(url, "There is no such object.", remedy="Check bucket and key.")
    path = folder / name.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")
    path.write_bytes(data)
    return path
