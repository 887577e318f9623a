"""Files from the model hub over HTTP: resumed where they stopped, accepted by SHA-256 only."""

from __future__ import annotations

import http.client
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol, cast

from pipeline.errors import RequestError
from pipeline.models.catalogue import HubSource, ModelFile
from pipeline.models.files import BLOCK_BYTES, Progress, SourceError, half_made, install

#: Longest wait for the first answer. Names that do not resolve and hosts that do not answer must
#: not keep a machine without a network waiting.
ANSWER_S = 5.0

#: Longest silence in the middle of a download.
SILENCE_S = 30.0

#: Waits before each new try after a download broke off; bytes that arrive start it afresh.
PAUSES_S = (0.2, 1.0, 3.0)

RANGE_NOT_SATISFIABLE = 416

#: Answers of a server that is busy, not of one that lacks the file.
TRY_LATER = frozenset({429, 500, 502, 503, 504})


class _Response(Protocol):
    """What is used of `http.client.HTTPResponse`."""

    status: int
    headers: http.client.HTTPMessage

    def read(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class _BrokenOffError(SourceError):
    """The connection ended before the file did."""


def fetch(
    source: HubSource,
    wanted: tuple[ModelFile, ...],
    folder: Path,
    hub_url: str,
    progress: Progress,
) -> None:
    """Download the wanted files of the source into the folder.

    Raises:
        SourceError: The hub cannot be reached, lacks a file or serves other bytes.
        RequestError: The hub's address is not one.
    """
    if urllib.parse.urlsplit(hub_url).scheme not in ("http", "https"):
        raise RequestError(
            f"VOXMILL_HUB_URL is {hub_url!r}; it must begin with https:// or http://."
        )
    for pin in wanted:
        _fetch_file(f"{hub_url.rstrip('/')}/{source.path(pin)}", pin, folder, progress)


def _fetch_file(url: str, pin: ModelFile, folder: Path, progress: Progress) -> None:
    """Download one file; when pieces joined make a wrong one, once more from its start."""
    half_made(folder, pin).parent.mkdir(parents=True, exist_ok=True)
    was_joined = _download(url, pin, folder, progress)
    if install(folder, pin):
        return
    if was_joined:
        _download(url, pin, folder, progress)
        if install(folder, pin):
            return
    raise SourceError(f"{url} is not the pinned file: its SHA-256 differs.")


def _download(url: str, pin: ModelFile, folder: Path, progress: Progress) -> bool:
    """Append to the part until it is as long as the file, however often the line breaks.

    Returns:
        Whether the part was joined from more than one answer.
    """
    part = half_made(folder, pin)
    was_joined, has_begun, pauses = part.exists(), False, iter(PAUSES_S)
    while (size := _size(part)) < pin.size_bytes:
        try:
            _receive(url, part, pin, progress)
        except SourceError as error:
            if _size(part) > size:
                was_joined, has_begun, pauses = True, True, iter(PAUSES_S)
            pause = next(pauses, None)
            if pause is None or not (has_begun or isinstance(error, _BrokenOffError)):
                raise
            time.sleep(pause)
    return was_joined


def _receive(url: str, part: Path, pin: ModelFile, progress: Progress) -> None:
    """Read one answer of the server into the part."""
    with closing(_answer(url, _size(part))) as response:
        if response.status == RANGE_NOT_SATISFIABLE:
            part.unlink()
            return
        start = _start(response, _size(part))
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            for done, block in _blocks(response, start, pin.size_bytes):
                file.write(block)
                progress(pin.name, done, pin.size_bytes)
    if _size(part) < pin.size_bytes:
        raise _BrokenOffError(f"{url} ended after {_size(part)} of {pin.size_bytes} bytes.")


def _start(response: _Response, wanted: int) -> int:
    """Return where in the file the answer begins: a server may ignore the range."""
    told = response.headers.get("Content-Range", "")
    return wanted if told.startswith(f"bytes {wanted}-") else 0


def _blocks(response: _Response, start: int, size_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield (bytes done, block); never more than the file has, and quietly less at a break."""
    done = start
    while done < size_bytes:
        try:
            block = response.read(min(BLOCK_BYTES, size_bytes - done))
        except (OSError, http.client.HTTPException):
            return
        if not block:
            return
        done += len(block)
        yield done, block


def _answer(url: str, start: int) -> _Response:
    """Return the server's answer, or fail within seconds."""
    answers: queue.Queue[_Response | Exception] = queue.Queue(1)
    # A daemon: looking up a name cannot be interrupted, and must not keep the process alive.
    threading.Thread(target=_ask, args=(url, start, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        raise SourceError(f"{_host(url)} does not answer within {ANSWER_S:.0f} s.") from None
    if isinstance(answer, Exception) and getattr(answer, "code", 0) != RANGE_NOT_SATISFIABLE:
        raise _refusal(url, answer) from answer
    return cast(_Response, answer)


def _ask(url: str, start: int, answers: queue.Queue[_Response | Exception]) -> None:
    headers = {"Accept-Encoding": "identity", "User-Agent": "voxmill"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - scheme is checked
        answers.put(urllib.request.urlopen(request, timeout=SILENCE_S))  # noqa: S310
    except (OSError, http.client.HTTPException, ValueError) as error:
        answers.put(error)


def _refusal(url: str, error: Exception) -> SourceError:
    if isinstance(error, urllib.error.HTTPError):
        with closing(error):
            told = f"{url} answers {error.code} {error.reason}."
        return _BrokenOffError(told) if error.code in TRY_LATER else SourceError(told)
    reason = getattr(error, "reason", None) or error
    return SourceError(f"{_host(url)} cannot be reached ({reason}).")


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
