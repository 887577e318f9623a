"""One question to a web server: answered within seconds, or an error that says why not."""

from __future__ import annotations

import http.client
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from email.message import Message
from typing import Protocol, cast

from pipeline.models.files import SourceError

#: Longest wait for the first answer. Names that do not resolve and hosts that do not answer must
#: not keep a machine without a network waiting.
ANSWER_S = 5.0

#: Longest silence in the middle of a download.
SILENCE_S = 30.0

RANGE_NOT_SATISFIABLE = 416

#: Answers of a server that is busy, not of one that lacks the file.
TRY_LATER = frozenset({429, 500, 502, 503, 504})


class BrokenOffError(SourceError):
    """The connection ended before the file did."""


class Response(Protocol):
    """What is used of `http.client.HTTPResponse`."""

    status: int
    headers: http.client.HTTPMessage

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most this many."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer, its body still to be read."""

    response: Response
    #: Headers of every answer on the way here, redirects first.
    headers: list[Message]

    def close(self) -> None:
        """Hang up."""
        self.response.close()


@dataclass
class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and keeps the headers of each."""

    headers: list[Message] = field(default_factory=list)

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        self.headers.append(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def ask(url: str, start: int = 0) -> Answer:
    """Return the server's answer to a request for the file from a byte on.

    Its status is `RANGE_NOT_SATISFIABLE` when the file does not reach that far.

    Raises:
        SourceError: The server cannot be reached, or refuses.
    """
    answers: queue.Queue[Response | Exception] = queue.Queue(1)
    redirects = _Redirects()
    # A daemon: looking up a name cannot be interrupted, and must not keep the process alive.
    threading.Thread(target=_open, args=(url, start, redirects, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        raise SourceError(f"{_host(url)} does not answer within {ANSWER_S:.0f} s.") from None
    is_past_end = start > 0 and getattr(answer, "code", 0) == RANGE_NOT_SATISFIABLE
    if isinstance(answer, Exception) and not is_past_end:
        raise _refusal(url, answer) from answer
    response = cast(Response, answer)
    return Answer(response, [*redirects.headers, response.headers])


def _open(
    url: str, start: int, redirects: _Redirects, answers: queue.Queue[Response | Exception]
) -> None:
    headers = {"Accept-Encoding": "identity", "User-Agent": "voxmill"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - scheme is checked
        opener = urllib.request.build_opener(redirects)
        answers.put(opener.open(request, timeout=SILENCE_S))
    except (OSError, http.client.HTTPException, ValueError) as error:
        answers.put(error)


def _refusal(url: str, error: Exception) -> SourceError:
    if isinstance(error, urllib.error.HTTPError):
        with closing(error):
            told = f"{url} answers {error.code} {error.reason}."
        return BrokenOffError(told) if error.code in TRY_LATER else SourceError(told)
    reason = getattr(error, "reason", None) or error
    return SourceError(f"{_host(url)} cannot be reached ({reason}).")


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc
