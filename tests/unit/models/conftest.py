"""A real HTTP server that misbehaves when told to, and a small model to fetch from it."""

from __future__ import annotations

import hashlib
import http.server
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.models import catalogue, hub
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.settings import Settings

WEIGHTS = random.Random(1).randbytes(200_000)
VOCABULARY = b"one\ntwo\nthree\n"


@dataclass(frozen=True)
class Fault:
    """What the server does wrong in one answer."""

    status: int = 0
    cut_after: int | None = None
    ignores_range: bool = False
    is_corrupt: bool = False
    hides_length: bool = False
    redirects_to: str = ""


@dataclass
class Hub:
    """The server as tests see it."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    #: Headers of each path beyond the usual ones.
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Path → address to which it always redirects.
    redirects: dict[str, str] = field(default_factory=dict)
    #: One is used up by each request; afterwards the server behaves.
    faults: list[Fault] = field(default_factory=list)
    #: (path, Range header) of each request.
    requests: list[tuple[str, str | None]] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.hub.requests.append((self.path, asked))
        fault = self.hub.faults.pop(0) if self.hub.faults else Fault()
        body = self.hub.files.get(self.path)
        if elsewhere := fault.redirects_to or self.hub.redirects.get(self.path):
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self._send_own_headers()
            self.end_headers()
        elif fault.status or body is None:
            self.send_error(fault.status or 404)
        else:
            self._send(body, None if fault.ignores_range else asked, fault)

    def _send_own_headers(self) -> None:
        for name, value in self.hub.headers.get(self.path, {}).items():
            self.send_header(name, value)

    def _send(self, body: bytes, asked: str | None, fault: Fault) -> None:
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if not fault.hides_length:
            self.send_header("Content-Length", str(len(body) - start))
        self._send_own_headers()
        self.end_headers()
        sent = bytes(len(body)) if fault.is_corrupt else body
        end = len(body) if fault.cut_after is None else start + fault.cut_after
        self.wfile.write(sent[start:end])

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A model hub on this machine that holds the model `tiny`."""
    monkeypatch.setattr(hub, "PAUSES_S", (0.0, 0.0, 0.0))
    state = Hub(
        files={
            "/someone/tiny/resolve/abc/weights.bin": WEIGHTS,
            "/someone/tiny/resolve/abc/vocabulary.txt": VOCABULARY,
        }
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("ThisHandler", (Handler,), {"hub": state})
    )
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def pinned(name: str, content: bytes) -> ModelFile:
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model of two small files, in the catalogue for the time of the test."""
    files = (pinned("vocabulary.txt", VOCABULARY), pinned("weights.bin", WEIGHTS))
    model = Model("tiny", "for tests", "MIT", (HubSource("someone/tiny", "abc", files),))
    monkeypatch.setitem(catalogue.MODELS, "tiny", model)
    return model


@pytest.fixture
def here(tmp_path: Path, mirror: Hub) -> Settings:
    """Settings of a machine with an empty model folder, and the mirror as its hub."""
    return Settings(models_dir=tmp_path / "models", hub_url=mirror.url, whisper_path=None)


@pytest.fixture
def folder(here: Settings, tiny: Model) -> Path:
    """Where the model `tiny` belongs; made, but empty."""
    place = here.models_dir / tiny.name
    place.mkdir(parents=True)
    return place


@pytest.fixture
def filled(folder: Path) -> Path:
    """The folder of `tiny`, with good files put there by hand."""
    (folder / "weights.bin").write_bytes(WEIGHTS)
    (folder / "vocabulary.txt").write_bytes(VOCABULARY)
    return folder


@pytest.fixture
def fault() -> type[Fault]:
    """Makes one fault of the server."""
    return Fault
