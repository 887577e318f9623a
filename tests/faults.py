"""A proxy that spoils requests to an S3 server on demand, one by one.

    with HttpFaults(port_of_the_server) as proxy:
        proxy.decide = lambda request: LOST if request.method == "PUT" else PASS
        connect(settings.model_copy(update={"s3_endpoint_url": proxy.url}))

Requests are signed for the proxy's address and passed on as they are, so that the server finds
them genuine. Only those from which a header is taken away are signed anew; for that the proxy needs
the keys.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HOST = "127.0.0.1"
#: The proxy speaks for the connection's two ends itself.
_OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "expect"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request, before anything is done about it."""

    #: Counted from 1 over the proxy's life.
    number: int
    method: str
    #: `/bucket/key`, unquoted.
    path: str
    query: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a request; as it is, nothing bad."""

    #: Answer this without asking the server, with S3's name for it.
    status: int | None = None
    code: str = ""
    #: Wait so long before anything else.
    delay_s: float = 0.0
    #: Let the server do it, and hang up instead of answering.
    is_lost: bool = False
    #: Hang up at once.
    is_reset: bool = False
    #: Pass on this share of the request's body, then hang up on both sides.
    sent: float | None = None
    #: Pass back this share of the answer's body, then hang up.
    kept: float | None = None
    #: Change a byte in the middle of the answer's body.
    is_damaged: bool = False
    #: A header of the request that the server does not get to see.
    without: str = ""


PASS = Fault()
LOST = Fault(is_lost=True)
RESET = Fault(is_reset=True)
CUT_UPLOAD = Fault(sent=0.5)
CUT_DOWNLOAD = Fault(kept=0.5)
DAMAGED = Fault(is_damaged=True)
#: The server writes whatever is there already.
UNCONDITIONAL = Fault(without="if-none-match")

Decide = Callable[[Request], Fault]


def status(number: int, code: str = "") -> Fault:
    """Answer with an error."""
    return Fault(status=number, code=code)


def slow(delay_s: float) -> Fault:
    """Let a request wait."""
    return Fault(delay_s=delay_s)


class HttpFaults:
    """A proxy in front of a server on loopback; `decide` may be changed at any time.

    Args:
        upstream_port: The server's.
        decide: What becomes of each request; called by several threads.
        keys: Access key and secret key, to sign what is changed.
        tls: Makes the proxy speak TLS to its clients.
    """

    def __init__(
        self,
        upstream_port: int,
        decide: Decide = lambda _: PASS,
        keys: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream_port, self.decide, self.keys = upstream_port, decide, keys
        self.is_tls = tls is not None
        #: Every request so far.
        self.seen: list[Request] = []
        self._lock = threading.Lock()
        self._server = _Server((HOST, 0), type("Handler", (_Handler,), {"proxy": self}))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"{'https' if self.is_tls else 'http'}://{HOST}:{self.port}"

    def __enter__(self) -> HttpFaults:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def note(self, method: str, target: str) -> Request:
        """Count a request."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        with self._lock:
            request = Request(len(self.seen) + 1, method, unquote(parts.path), query)
            self.seen.append(request)
        return request


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: they are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: HttpFaults

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""

    def _answer(self) -> None:
        body = self._body()
        fault = self.proxy.decide(self.proxy.note(self.command, self.path))
        time.sleep(fault.delay_s)
        if fault.is_reset:
            self._hang_up()
        elif fault.status is not None:
            self._refuse(fault.status, fault.code)
        else:
            self._pass_on(body, fault)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815 - the parent's names

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(pieces)

    def _pass_on(self, body: bytes, fault: Fault) -> None:
        upstream = HTTPConnection(HOST, self.proxy.upstream_port, timeout=60)
        try:
            self._send(upstream, body, fault)
            if fault.sent is not None:
                self._hang_up()
                return
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        if fault.is_lost:
            self._hang_up()
            return
        if fault.is_damaged and data:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        self._give_back(answer, data, fault)

    def _send(self, upstream: HTTPConnection, body: bytes, fault: Fault) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (self._signed(fault.without) if fault.without else self.headers).items():
            if name.lower() not in {*_OWN, "content-length"}:
                upstream.putheader(name, value)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders()
        upstream.send(body if fault.sent is None else body[: int(len(body) * fault.sent)])

    def _signed(self, without: str) -> Message:
        """Return the headers with one taken away, signed by our own keys."""
        assert self.proxy.keys, "give the proxy the keys"
        kept = {
            k: v for k, v in self.headers.items() if k.lower() not in {"authorization", without}
        }
        request = AWSRequest(self.command, f"http://{self.headers['Host']}{self.path}", kept)
        S3SigV4Auth(Credentials(*self.proxy.keys), "s3", "us-east-1").add_auth(request)
        return cast("Message", request.headers)

    def _give_back(self, answer: HTTPResponse, data: bytes, fault: Fault) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_OWN, "content-length"}:
                self.send_header(name, value)
        # The answer to HEAD tells the length of what it does not hold.
        length = answer.getheader("content-length", "0") if self.command == "HEAD" else len(data)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data if fault.kept is None else data[: int(len(data) * fault.kept)])
        if fault.kept is not None and data:
            self.wfile.flush()
            self.close_connection = True

    def _refuse(self, number: int, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>provoked</Message></Error>" if code else ""
        body = b"" if self.command == "HEAD" else text.encode()
        self.send_response_only(number)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        """End the connection as a crashed server does: with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
