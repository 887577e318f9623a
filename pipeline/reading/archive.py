"""Zip archives from strangers: looked at before anything is unpacked."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError

MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 2_000_000_000
#: Text rarely shrinks more than tenfold; below the floor no ratio is worth a refusal.
MAX_RATIO = 150
RATIO_FLOOR_BYTES = 20_000_000
_NESTED = re.compile(r"\.(zip|7z|rar|gz|bz2|xz|tar|epub|jar)$", re.IGNORECASE)
Change = Callable[[bytes], bytes]
_REMEDY = "Do not trust this file; get it again from where it came."


def open_checked(path: Path, data: bytes) -> zipfile.ZipFile:
    """Open an archive that is safe to unpack.

    Raises:
        InputError: It is broken, a bomb, protected by a password, or reaches outside itself.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise broken(path, str(error)) from error
    entries = archive.infolist()
    _check_size(path, entries, len(data))
    for entry in entries:
        _check_entry(path, entry)
    return archive


def read(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Return a member's bytes, or say which member is broken."""
    try:
        return archive.read(name)
    except KeyError as error:
        raise broken(path, "a file is missing from it", name) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise broken(path, str(error), name) from error


def repack(archive: zipfile.ZipFile, path: Path, changes: Mapping[str, Change]) -> bytes:
    """Return the archive with its XML members only, each really read once.

    A header that lies about sizes is found here and not by the program that gets the result.

    Args:
        archive: What to pack again.
        path: Where it comes from, for errors.
        changes: Member → what is to be done to its bytes.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")) or name == "mimetype":
                member = read(archive, name, path)
                if b"<!ENTITY" in member:
                    problem = "It defines XML entities, as only a bomb does."
                    raise InputError(path, problem, place=name, remedy=_REMEDY)
                change = changes.get(name)
                out.writestr(zipfile.ZipInfo(name), change(member) if change else member)
    return packed.getvalue()


def broken(path: Path, why: str, place: str | None = None) -> InputError:
    """Return the error for a damaged archive."""
    return InputError(
        path,
        f"The archive is broken ({why.strip('.')}).",
        place=place,
        remedy="Download or export the file again.",
    )


def _check_size(path: Path, entries: list[zipfile.ZipInfo], n_bytes: int) -> None:
    if len(entries) > MAX_ENTRIES:
        problem = f"The archive holds {len(entries)} files, more than {MAX_ENTRIES}."
        raise InputError(path, problem, remedy=_REMEDY)
    total = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    is_bomb = total > RATIO_FLOOR_BYTES and total > MAX_RATIO * n_bytes
    if total > MAX_TOTAL_BYTES or is_bomb or packed > n_bytes:
        problem = f"The archive would unpack from {n_bytes:,} to {total:,} bytes: a bomb."
        raise InputError(path, problem, remedy=_REMEDY)


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    if ".." in parts or name.startswith(("/", "\\")) or ":" in name[:3] or is_link:
        problem = "A path in the archive reaches outside it."
        raise InputError(path, problem, place=name, remedy=_REMEDY)
    if entry.flag_bits & 1:
        problem = "The archive is protected by a password."
        raise InputError(path, problem, place=name, remedy="Save it without a password.")
    if _NESTED.search(name):
        problem = "There is an archive inside the archive."
        raise InputError(path, problem, place=name, remedy="Unpack it and give the book inside.")
