"""The ffmpeg process: where it is, how it is run, and what its failures mean."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO

from pipeline.errors import MissingToolError, PermanentError, StorageError

#: How much of ffmpeg's complaint is shown.
ERROR_LINES = 4


@lru_cache(maxsize=1)
def path() -> str:
    """Return the ffmpeg on PATH, else the one inside the imageio-ffmpeg package.

    Raises:
        MissingToolError: There is neither.
    """
    found = shutil.which("ffmpeg") or shutil.which(_bundled())
    if found is None:
        raise MissingToolError(
            "ffmpeg is not installed. Install it (apt-get install ffmpeg), or install the Python "
            "package imageio-ffmpeg again."
        )
    return found


def _bundled() -> str:
    """Return the path of the ffmpeg inside the imageio-ffmpeg package, "" without the package."""
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - optional at run time

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return ""


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


def stream(
    arguments: Sequence[str | Path], *, data: Iterable[bytes] = (), block_bytes: int
) -> Iterator[bytes]:
    """Feed ffmpeg's stdin and yield its stdout while it works, in blocks of a fixed size.

    Args:
        arguments: They name `pipe:0` as input, where data is fed, and `pipe:1` as output.
        data: What to feed; an error it raises is raised here.
        block_bytes: Size of each block yielded but the last.

    Raises:
        StorageError: The disk is full.
        PermanentError: ffmpeg failed; the message ends with its last words.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
        assert process.stdin is not None
        assert process.stdout is not None
        feeder = _Feeder(process.stdin, data)
        try:
            while block := process.stdout.read(block_bytes):
                yield block
            feeder.join()
            feeder.require_done()
            if process.wait():
                log.seek(0)
                raise failure(log.read().decode(errors="replace"))
        finally:
            # A consumer that stops half-way must not leave a process or a thread behind.
            process.kill()
            feeder.join()
            process.stdout.close()
            process.wait()


class _Feeder(threading.Thread):
    """Writes data to a pipe beside the thread that reads the other end of ffmpeg."""

    def __init__(self, pipe: IO[bytes], data: Iterable[bytes]) -> None:
        super().__init__(name="ffmpeg-feeder", daemon=True)
        self._pipe, self._data = pipe, data
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            with self._pipe:
                for block in self._data:
                    self._pipe.write(block)
        except BrokenPipeError:
            return  # ffmpeg ended early; its exit status says why
        except BaseException as error:  # handed to the reading thread
            self._error = error

    def require_done(self) -> None:
        if self._error:
            raise self._error


def failure(log: str) -> PermanentError:
    """Return the error that ffmpeg's log tells of."""
    words = " / ".join(log.strip().splitlines()[-ERROR_LINES:])
    for sign in ("No space left on device", "Permission denied", "Read-only file system"):
        if sign in log:
            return StorageError(f"{sign} while ffmpeg was writing: {words}")
    return PermanentError(f"ffmpeg failed: {words}")
