"""Files from the model hub over HTTP: resumed where they stopped, accepted by their hash.

The catalogue pins most files. Of the others the hub tells size and hash in the headers of its
answers; a plain mirror tells the size only. Such a file is recorded when it first arrives.
"""

from __future__ import annotations

import http.client
import logging
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipeline.errors import RequestError
from pipeline.models import records, web
from pipeline.models.files import (
    BLOCK_BYTES,
    Progress,
    SourceError,
    fits,
    half_made,
    install,
    require_space,
)
from pipeline.models.hub_headers import told
from pipeline.models.sources import HubSource, ModelFile

log = logging.getLogger(__name__)

#: Waits before each new try after a download broke off; bytes that arrive start it afresh.
PAUSES_S = (0.2, 1.0, 3.0)


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
        StorageError: The disk is too full for a file of which the hub told the size.
    """
    if urllib.parse.urlsplit(hub_url).scheme not in ("http", "https"):
        raise RequestError(
            f"VOXMILL_HUB_URL is {hub_url!r}; it must begin with https:// or http://."
        )
    for pin in wanted:
        url = f"{hub_url.rstrip('/')}/{source.path(pin)}"
        if pin.sha256:
            _fetch_file(url, pin, folder, progress)
        else:
            _fetch_unpinned(url, pin, folder, progress)


def _fetch_unpinned(url: str, file: ModelFile, folder: Path, progress: Progress) -> None:
    """Download a file as the hub describes it, or keep the one that is here; then record it."""
    expected = _learn(url, file)
    has_hash = bool(expected.sha256 or expected.git_sha1)
    target = folder / file.name
    if not (target.is_file() and fits(target, expected)):
        require_space(folder, expected.size_bytes)
        if not has_hash:
            half_made(folder, expected).unlink(missing_ok=True)
        _fetch_file(url, expected, folder, progress, "what the hub says it is")
    record = records.write(folder, file.name)
    vouched = "the hash is the one that the hub tells" if has_hash else "the hub tells no hash"
    log.warning(
        "%s is not pinned: trusted as it first came (%s) and recorded, SHA-256 %s",
        target,
        vouched,
        record.sha256,
    )


def _learn(url: str, file: ModelFile) -> ModelFile:
    """Ask what the file is before it is fetched."""
    for pause in (*PAUSES_S, None):
        try:
            with closing(web.ask(url)) as answer:
                return told(url, file, answer.headers)
        except web.BrokenOffError:
            if pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _fetch_file(
    url: str, pin: ModelFile, folder: Path, progress: Progress, known: str = "the pinned file"
) -> None:
    """Download one file; when pieces joined make a wrong one, once more from its start."""
    half_made(folder, pin).parent.mkdir(parents=True, exist_ok=True)
    was_joined = _download(url, pin, folder, progress)
    if install(folder, pin):
        return
    if was_joined:
        _download(url, pin, folder, progress)
        if install(folder, pin):
            return
    raise SourceError(f"{url} is not {known}: its hash differs.")


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
            if pause is None or not (has_begun or isinstance(error, web.BrokenOffError)):
                raise
            time.sleep(pause)
    return was_joined


def _receive(url: str, part: Path, pin: ModelFile, progress: Progress) -> None:
    """Read one answer of the server into the part."""
    with closing(web.ask(url, _size(part)).response) as response:
        if response.status == web.RANGE_NOT_SATISFIABLE:
            part.unlink()
            return
        start = _start(response, _size(part))
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            for done, block in _blocks(response, start, pin.size_bytes):
                file.write(block)
                progress(pin.name, done, pin.size_bytes)
    if _size(part) < pin.size_bytes:
        raise web.BrokenOffError(f"{url} ended after {_size(part)} of {pin.size_bytes} bytes.")


def _start(response: web.Response, wanted: int) -> int:
    """Return where in the file the answer begins: a server may ignore the range."""
    range_ = response.headers.get("Content-Range", "")
    return wanted if range_.startswith(f"bytes {wanted}-") else 0


def _blocks(response: web.Response, start: int, size_bytes: int) -> Iterator[tuple[int, bytes]]:
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


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
