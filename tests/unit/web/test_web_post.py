"""What is told to an address of the web, and to none that is private."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web_site import Handler, Web

from pipeline.errors import RequestError
from pipeline.settings import Settings
from pipeline.web import prompt
from pipeline.web.guard import UnreachableError
from pipeline.web.post import post


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_the_status_is_what_the_receiver_says(status: int, web: Web, allowing: Settings) -> None:
    url = web.says("/hook", b"", status, Location="http://10.0.0.1/")

    assert post(url, b"{}", {"Voxmill-Event-Id": "a/0"}, allowing) == status

    ((path, headers),) = web.asked
    assert path == "/hook"
    assert headers["Voxmill-Event-Id"] == "a/0"
    assert headers["Content-Type"] == "application/json"


def test_an_address_may_have_letters_of_any_script(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.says("/%C3%A4%20b", b"")
    real = socket.getaddrinfo

    def found(host: str, *rest: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host.startswith("xn--") else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    url = f"http://例え.テスト:{web.port}/ä b"

    assert post(url, b"{}", {}, Settings(allowed_hosts=("例え.テスト",))) == 200

    ((path, headers),) = web.asked
    assert (path, headers["Host"]) == ("/%C3%A4%20b", f"xn--r8jz45g.xn--zckzah:{web.port}")


def test_nothing_is_told_to_a_private_address(web: Web) -> None:
    url = web.says("/hook", b"")

    with pytest.raises(RequestError):
        post(url, b"{}", {}, Settings())
    with pytest.raises(RequestError):
        post(url.replace("http:", "https:"), b"{}", {}, Settings())

    assert not web.asked


def test_an_answer_without_an_end_is_not_read(web: Web, allowing: Settings) -> None:
    n_sent = 0

    def endless(handler: Handler) -> None:
        nonlocal n_sent
        handler.send_response(200)
        handler.end_headers()
        while not web.is_over.is_set():
            handler.wfile.write(b"x" * 10_000)
            n_sent += 10_000

    web.pages["/hook"] = endless
    started_s = time.monotonic()

    assert post(web.url("/hook"), b"{}", {}, allowing) == 200

    assert time.monotonic() - started_s < 5
    assert n_sent < 20_000_000


def test_a_receiver_that_trickles_holds_nobody_up(
    web: Web, allowing: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "ANSWER_TIMEOUT_S", 0.3)

    def trickle(handler: Handler) -> None:
        while not web.is_over.wait(0.02):
            handler.wfile.write(b"H")
            handler.wfile.flush()

    web.pages["/hook"] = trickle
    started_s = time.monotonic()

    with pytest.raises(UnreachableError, match="does not answer"):
        post(web.url("/hook"), b"{}", {}, allowing)

    assert time.monotonic() - started_s < 5


def test_an_error_does_not_repeat_what_may_be_secret(allowing: Settings) -> None:
    with pytest.raises(UnreachableError) as caught:
        post("http://127.0.0.1:1/hook?token=tell-no-one", b"{}", {}, allowing)

    assert "tell" not in str(caught.value)


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[int]:
    """The port of a server with a certificate that nobody has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:  # refused, as it should be
                return

    thread = threading.Thread(target=greet)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def test_a_server_that_cannot_prove_its_name_is_told_nothing(
    impostor: int, allowing: Settings
) -> None:
    with pytest.raises(UnreachableError, match="SSLError"):
        post(f"https://localhost:{impostor}/hook", b"{}", {}, allowing)
