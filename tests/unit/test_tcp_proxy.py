"""Connections are spoiled as they are meant to be."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tcp_proxy import HOST, TcpProxy

#: An end that says nothing for so long is silent.
SILENCE_S = 0.5


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything again."""
    with socket.create_server((HOST, 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: int) -> Iterator[TcpProxy]:
    with TcpProxy(echo) as running:
        yield running


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    with connected(proxy) as one:
        yield one


def test_what_is_said_comes_through(client: socket.socket) -> None:
    assert asked(client, b"a") == b"a"
    assert asked(client, b"b") == b"b"


def test_a_delay_is_waited_for(client: socket.socket, proxy: TcpProxy) -> None:
    proxy.delay_s = 0.2
    started_s = time.monotonic()
    assert asked(client, b"a") == b"a"
    assert time.monotonic() - started_s >= 0.2


def test_what_was_held_back_comes_later(client: socket.socket, proxy: TcpProxy) -> None:
    proxy.pause()
    assert asked(client, b"a") is None
    proxy.recover()
    assert client.recv(9) == b"a"


def test_all_connections_break_at_once(client: socket.socket, proxy: TcpProxy) -> None:
    assert asked(client, b"a") == b"a"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(9)
    with connected(proxy) as another:
        assert asked(another, b"b") == b"b"


def test_a_forgotten_connection_is_open_and_silent_while_new_ones_work(
    client: socket.socket, proxy: TcpProxy
) -> None:
    assert asked(client, b"a") == b"a"
    proxy.forget()
    assert asked(client, b"b") is None
    with connected(proxy) as another:
        assert asked(another, b"c") == b"c"


def test_a_silent_server_takes_connections_and_never_answers(
    client: socket.socket, proxy: TcpProxy
) -> None:
    proxy.go_silent()
    assert asked(client, b"a") is None
    with connected(proxy) as another:
        assert asked(another, b"b") is None
        proxy.recover()
        assert asked(another, b"c") is None, "what is half-open stays so"
    with connected(proxy) as later:
        assert asked(later, b"d") == b"d"


def test_a_server_that_is_not_there_resets() -> None:
    with TcpProxy(1) as proxy, pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(9)


def connected(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=5)


def asked(client: socket.socket, data: bytes) -> bytes | None:
    """Say something, and return the answer; None when there is only silence."""
    client.sendall(data)
    client.settimeout(SILENCE_S)
    try:
        return client.recv(9)
    except TimeoutError:
        return None
    finally:
        client.settimeout(5)


def _accept(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_repeat, args=(connection,), daemon=True).start()


def _repeat(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(9):
                connection.sendall(data)
        except OSError:
            return
