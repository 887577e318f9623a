"""A server of the web on loopback that says what a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = BaseHTTPRequestHandler
#: Answers one request.
Page = Callable[[Handler], None]


@dataclass
class Web:
    """What a test's server says at each path, and what it was asked."""

    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    #: Path and headers of each request.
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    #: The body of each POST.
    told: list[bytes] = field(default_factory=list)
    #: Set when the test is over: whoever stalls may stop.
    is_over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Give a body at a path; return its address."""

        def page(handler: Handler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.pages[path] = page
        return self.url(path)


@contextmanager
def served() -> Iterator[Web]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.asked.append((self.path, dict(self.headers)))
            self.close_connection = True
            if path in site.pages:
                site.pages[path](self)
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            site.told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # the client went away, as it should
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    site = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.is_over.set()
    server.shutdown()
    thread.join()
    server.server_close()
