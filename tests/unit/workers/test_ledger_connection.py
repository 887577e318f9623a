from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import redis
from pydantic import SecretStr

from pipeline.errors import RequestError, TransientError
from pipeline.manifest.ref import JobRef
from workers.ledger import Item, Ledger, LedgerUnavailableError, connect, trouble
from workers.ledger import connection as connecting

Admit = Callable[..., JobRef]

PASSWORD = "open-sesame"


@pytest.fixture
def nobody() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_that_is_away_is_named_without_its_password(
    nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "PATIENCE_S", 0.3)
    ledger = connect(SecretStr(f"redis://worker:{PASSWORD}@127.0.0.1:{nobody}/0"))
    with pytest.raises(LedgerUnavailableError, match=f"127.0.0.1:{nobody}") as caught:
        ledger.pick(1)
    assert isinstance(caught.value, TransientError)
    assert PASSWORD not in f"{caught.value!r} {caught.value.__cause__!r} {ledger!r}"


def test_a_wrong_password_is_told_from_a_server_that_is_away(
    ledger: Ledger, redis_url: SecretStr
) -> None:
    ledger.redis.config_set("requirepass", PASSWORD)
    try:
        with pytest.raises(LedgerUnavailableError, match="VOXMILL_REDIS_URL") as caught:
            connect(SecretStr(redis_url.get_secret_value().replace("//", "//:wrong@"))).now()
        assert "wrong" not in str(caught.value)
    finally:
        ledger.redis.config_set("requirepass", "")


def test_a_server_without_memory_is_said_to_have_none(ledger: Ledger, admit: Admit) -> None:
    job = admit("book", 2)
    ledger.redis.config_set("maxmemory", "1kb")
    try:
        with pytest.raises(LedgerUnavailableError, match="out of memory"):
            admit("another", 2)
        assert ledger.done(Item(job, "0000")) == 1, "what makes room goes on"
    finally:
        ledger.redis.config_set("maxmemory", "0")


def test_a_server_that_has_forgotten_the_scripts_gets_them_again(
    ledger: Ledger, admit: Admit
) -> None:
    admit("book", 2)
    ledger.redis.script_flush()
    admit("book", 2)
    assert len(ledger.pick(2)) == 2


def test_a_connection_that_broke_is_made_anew(ledger: Ledger, admit: Admit) -> None:
    admit("book", 2)
    ledger.redis.client_kill_filter(_type="normal", skipme=False)
    assert len(ledger.pick(2)) == 2


def test_a_server_that_accepts_and_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connecting, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(trouble, "PATIENCE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ledger = connect(SecretStr(f"redis://127.0.0.1:{mute.getsockname()[1]}/0"))
        started_s = time.monotonic()
        with pytest.raises(LedgerUnavailableError):
            ledger.now()
        assert 1 <= time.monotonic() - started_s < 5
        ledger.redis.close()


def test_an_answer_that_was_lost_counts_no_second_attempt(
    ledger: Ledger, redis_url: SecretStr, admit: Admit
) -> None:
    admit("book", 2)
    other, picked = ledger.pick(2)
    port = urlsplit(redis_url.get_secret_value()).port
    with LosesOneAnswer(port or 0) as proxy:
        through = connect(SecretStr(f"redis://127.0.0.1:{proxy.port}/0"))
        through.begin("synth", other.item, "normal", other.at, "me", 60)
        proxy.lose_next.set()
        begun = through.begin("synth", picked.item, "normal", picked.at, "me", 60)
        through.redis.close()
    assert begun
    assert begun.attempt == 1
    assert not proxy.lose_next.is_set(), "it was lost"


class LosesOneAnswer:
    """Passes everything on to Redis; closes a connection instead of giving one answer back."""

    def __init__(self, upstream: int) -> None:
        self.lose_next = threading.Event()
        self._upstream = upstream
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> LosesOneAnswer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._start(lambda client=client: self._serve(client))  # type: ignore[misc]

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            self._start(lambda: self._forward(client, server))
            while answer := server.recv(1 << 20):
                if self.lose_next.is_set() and b"NOSCRIPT" not in answer:
                    self.lose_next.clear()
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(answer)

    @staticmethod
    def _forward(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while asked := client.recv(1 << 20):
                server.sendall(asked)
            server.shutdown(socket.SHUT_RDWR)


def test_tls_is_used_where_the_address_says_so() -> None:
    ledger = connect(SecretStr("rediss://worker:secret@queue.example:6380/2"))
    made = ledger.redis.connection_pool.make_connection()
    assert isinstance(made, redis.SSLConnection)
    assert made.cert_reqs != 0, "certificates are verified"
    assert ledger.where == "queue.example:6380"


@pytest.mark.parametrize("url", ["http://:pw@host/0", "pw", "redis://:pw@host:port/0"])
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(RequestError, match="VOXMILL_REDIS_URL") as caught:
        connect(SecretStr(url))
    assert "pw" not in str(caught.value).replace("password", "")
