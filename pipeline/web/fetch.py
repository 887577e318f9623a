"""An input fetched from the web: from hosts that were named, bounded in size and time."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import urllib3

from pipeline.errors import InputError, RequestError
from pipeline.settings import Settings
from pipeline.web import guard
from pipeline.web.guard import Target, UnreachableError

MAX_REDIRECTS = 5
#: For all of it.
TIMEOUT_S = 300.0
BLOCK_BYTES = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
MAX_NAME_BYTES = 200


def fetch(url: str, folder: Path, settings: Settings, max_bytes: int) -> Path:
    """Fetch a file into a folder, under its own name.

    Raises:
        RequestError: Its host is not among VOXMILL_ALLOWED_HOSTS.
        InputError: There is no such file, or it is too large.
        UnreachableError: The host does not answer.
    """
    asked = url
    for _ in range(MAX_REDIRECTS + 1):
        target = _allowed(url, settings)
        answer = _ask(target, url)
        if answer.status in REDIRECTS:
            answer.close()
            url = _next(url, answer.headers.get("Location", ""))
            continue
        if answer.status != 200:
            answer.close()
            raise InputError(
                guard.without_secrets(asked),
                f"The server answers {answer.status}.",
                remedy="Open it in a browser, and give the address that works.",
            )
        return _saved(answer, folder / _name(url), asked, max_bytes)
    raise InputError(
        guard.without_secrets(asked),
        "It leads from one place to the next.",
        remedy="Give the last.",
    )


def _next(url: str, location: str) -> str:
    """Return where an answer leads on."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise RequestError(f"{guard.without_secrets(url)} leads to no address.") from error


def _allowed(url: str, settings: Settings) -> Target:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError as error:  # which may quote a password
        raise RequestError(f"{guard.without_secrets(url)} is no address.") from error
    if not guard.is_named(guard.plain_host(host), settings):
        known = ", ".join(settings.allowed_hosts) or "none"
        raise RequestError(
            f"{guard.without_secrets(url)}: inputs are fetched only from hosts of "
            f"VOXMILL_ALLOWED_HOSTS: {known}. Allow {host}, or give a file."
        )
    return guard.require(url, settings)


def _ask(target: Target, url: str) -> urllib3.BaseHTTPResponse:
    try:
        return target.pool().urlopen(
            "GET",
            target.path,
            headers={"Host": target.host_header, "User-Agent": "voxmill"},
            redirect=False,
            preload_content=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise UnreachableError(
            f"{guard.without_secrets(url)} does not answer ({type(error).__name__})."
        ) from error


def _saved(answer: urllib3.BaseHTTPResponse, path: Path, url: str, max_bytes: int) -> Path:
    until_s, n_bytes = time.monotonic() + TIMEOUT_S, 0
    try:
        with path.open("wb") as file:
            # What has come, not whole blocks: else one that trickles in would be waited for.
            while block := answer.read1(BLOCK_BYTES):
                n_bytes += len(block)
                if n_bytes > max_bytes or time.monotonic() > until_s:
                    raise InputError(
                        guard.without_secrets(url),
                        f"It is larger than {max_bytes:,} bytes, or takes too long.",
                        remedy="Fetch it yourself, and give the file.",
                    )
                file.write(block)
    except urllib3.exceptions.HTTPError as error:
        raise UnreachableError(f"{guard.without_secrets(url)} broke off.") from error
    finally:
        answer.close()
    return path


def _name(url: str) -> str:
    """Return what the file is called: no part of an address can lead out of the folder."""
    name = unquote(urlsplit(url).path.rpartition("/")[2]).replace("/", "-").replace("\0", "")
    return name.strip(". ").encode()[-MAX_NAME_BYTES:].decode(errors="ignore") or "input"
