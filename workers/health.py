"""What tells others how a process is: `/metrics`, `/healthz`, `/readyz`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline.settings import Settings
from workers import metrics

log = logging.getLogger(__name__)

#: Says yes or no.
Question = Callable[[], bool]
TEXT = "text/plain; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def served(settings: Settings, is_ready: Question, is_alive: Question) -> Iterator[int | None]:
    """Answer on VOXMILL_METRICS_PORT while the block runs; yields the port, None if there is none.

    `/healthz` says whether the process should be restarted, `/readyz` whether it takes work.
    """
    if settings.metrics_port is None:
        yield None
        return
    server = ThreadingHTTPServer(
        (settings.metrics_host, settings.metrics_port), _handler(is_ready, is_alive)
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _handler(is_ready: Question, is_alive: Question) -> type[BaseHTTPRequestHandler]:
    def said(question: Question) -> tuple[int, bytes, str]:
        return (200, b"yes\n", TEXT) if question() else (503, b"no\n", TEXT)

    pages: dict[str, Callable[[], tuple[int, bytes, str]]] = {
        "/metrics": lambda: (200, metrics.exposition(), PROMETHEUS),
        "/healthz": lambda: said(is_alive),
        "/readyz": lambda: said(is_ready),
    }

    class Handler(BaseHTTPRequestHandler):
        """Answers GET."""

        def do_GET(self) -> None:
            """Answer one request."""
            page = pages.get(self.path.partition("?")[0])
            status, body, kind = page() if page else (404, b"not here\n", TEXT)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Keep quiet: probes come every few seconds."""
            log.debug(format, *args)

    return Handler
