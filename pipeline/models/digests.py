"""SHA-256 of large files, computed once: remembered by path, size and time of change."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pipeline.models import files

#: Remembers the digests; in the model folder.
MEMORY = ".digests.json"


def sha256(path: Path, folder: Path) -> str:
    """Return the SHA-256 of a file's content, in lower-case hex.

    Args:
        path: The file.
        folder: Where digests are remembered; when it cannot be written, they are not.

    Raises:
        OSError: The file cannot be read.
    """
    stat = path.stat()
    mark = f"{stat.st_size} {stat.st_mtime_ns}"
    known = _read(folder)
    remembered = known.get(str(path.absolute()))
    if remembered and remembered[0] == mark:
        return remembered[1]
    digest = files.sha256(path)
    _remember(folder, str(path.absolute()), (mark, digest))
    return digest


def _read(folder: Path) -> dict[str, tuple[str, str]]:
    try:
        known = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
        return {path: (mark, digest) for path, (mark, digest) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(folder: Path, path: str, value: tuple[str, str]) -> None:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        known = {**_read(folder), path: value}
        handle, temporary = tempfile.mkstemp(prefix=MEMORY, dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1)
        Path(temporary).replace(folder / MEMORY)
