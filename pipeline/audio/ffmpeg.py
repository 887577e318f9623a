"""The ffmpeg process: where it is, how it is run, and what its failures mean."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pipeline.errors import MissingToolError, PermanentError, StorageError

#: How much of ffmpeg's complaint is shown.
ERROR_LINES = 4


@lru_cache(maxsize=1)
def path() -> str:
    """Return the ffmpeg on PATH, else the one inside the imageio-ffmpeg package.

    Raises:
        MissingToolError: There is neither.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - optional at run time

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise MissingToolError(
            "ffmpeg is not installed. Install it (apt-get install ffmpeg) or the Python package "
            "imageio-ffmpeg."
        ) from error


def command(*arguments: str | Path) -> list[str]:
    """Return a command line that is quiet, never asks, and writes no time stamps."""
    return [path(), "-hide_banner", "-nostdin", "-nostats", "-y", *map(str, arguments)]


def run(arguments: Sequence[str | Path], *, data: bytes | None = None) -> str:
    """Run ffmpeg to its end and return its log (stderr).

    Raises:
        StorageError: The disk is full or the output cannot be written.
        PermanentError: ffmpeg failed for another reason; the message ends with its last words.
    """
    done = subprocess.run(command(*arguments), input=data, capture_output=True, check=False)
    log = done.stderr.decode(errors="replace")
    if done.returncode:
        raise failure(log)
    return log


def failure(log: str) -> PermanentError:
    """Return the error that ffmpeg's log tells of."""
    words = " / ".join(log.strip().splitlines()[-ERROR_LINES:])
    for sign in ("No space left on device", "Permission denied", "Read-only file system"):
        if sign in log:
            return StorageError(f"{sign} while ffmpeg was writing: {words}")
    return PermanentError(f"ffmpeg failed: {words}")
