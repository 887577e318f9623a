"""Redis and S3 behind TLS, for a user with a password who may do no more than the queue needs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import certificates
import pytest
import s3_server
import servers
from faults import HttpFaults
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from tcp_proxy import HOST, TcpProxy

from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store.s3_client import make_bucket
from producer.queue import hint
from workers import app, depths, ledger
from workers.ledger.trouble import LedgerUnavailableError

USER, SECRET, WRONG = "voxmill", "a/b@c:d #1", "hunter2"
#: What a user of the queue needs: its keys and Celery's, and nothing that harms others.
RULES = (
    *("on", f">{SECRET}", "+@all", "-@admin", "&*"),
    *("~voxmill*", "~_kombu*", "~unacked*", "~*pidbox*", "~celeryev*"),
)
SILENT = ("--engine", "silent", "--profile", "raw", "--formats", "flac", "--check", "off")
VOXMILL = (sys.executable, "-m", "producer.cli.app")
KEY = s3_server.SECRET_KEY
WITHIN_S = 120


@dataclass(frozen=True)
class Redis:
    """A Redis server behind TLS."""

    server: servers.Redis
    port: int
    certificate: Path

    def url(self, secret: str = SECRET, trusted: Path | None = None) -> SecretStr:
        query = f"?ssl_ca_certs={trusted}" if trusted else ""
        return SecretStr(f"rediss://{USER}:{quote(secret, safe='')}@{HOST}:{self.port}/0{query}")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    folder = tmp_path_factory.mktemp("redis")
    certificate, context = certificates.own(folder)
    with servers.redis(folder) as server, TcpProxy(server.port, context) as proxy:
        client: Any = server.client  # its own types do not know this
        client.execute_command("ACL", "SETUSER", USER, *RULES)
        yield Redis(server, proxy.port, certificate)


def settings_of(url: SecretStr, **options: object) -> Settings:
    return Settings(redis_url=url).model_copy(update=options)


def test_one_address_serves_ledger_broker_and_hints(redis: Redis) -> None:
    settings = settings_of(redis.url(trusted=redis.certificate))
    assert ledger.connect(settings.redis_url).n_workers("synth") == 0
    assert set(depths.depths(app.create(settings)).values()) == {0}
    assert hint.send(settings, JobRef("", "book-1"))


@pytest.mark.parametrize("is_told", [False, True], ids=["nobody", "another"])
def test_nobody_believes_a_server_whose_certificate_is_not_trusted(
    is_told: bool, redis: Redis, tmp_path: Path
) -> None:
    another, _ = certificates.own(tmp_path, "another")
    settings = settings_of(redis.url(trusted=another if is_told else None))
    with pytest.raises(LedgerUnavailableError, match="certificate of Redis"):
        ledger.connect(settings.redis_url).now()
    with pytest.raises(OperationalError, match="certificate verify failed"):
        depths.depths(app.create(settings))
    assert not hint.send(settings, JobRef("", "book-1"))


def test_a_wrong_password_is_told_and_not_shown(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    book = ledger.connect(redis.url(WRONG, redis.certificate))
    with pytest.raises(LedgerUnavailableError, match="VOXMILL_REDIS_URL") as caught:
        book.now()
    assert WRONG not in f"{caught.value!r} {book!r} {caplog.text}"


def test_a_book_is_made_by_workers_that_reach_everything_by_tls(
    redis: Redis, tmp_path: Path
) -> None:
    bundle, context = certificates.own(tmp_path, "s3")
    with (
        s3_server.running(tmp_path) as reached,
        HttpFaults(urlsplit(reached.s3_endpoint_url or "").port or 0, tls=context) as s3,
    ):
        make_bucket("voxmill", reached)
        environment = {
            "VOXMILL_STORE_URL": "s3://voxmill/store",
            "VOXMILL_REDIS_URL": redis.url(trusted=redis.certificate).get_secret_value(),
            "VOXMILL_S3_ENDPOINT_URL": s3.url,
            "VOXMILL_S3_ACCESS_KEY_ID": s3_server.ACCESS_KEY,
            "VOXMILL_S3_SECRET_ACCESS_KEY": KEY,
            "VOXMILL_S3_CA_BUNDLE": str(bundle),
            "VOXMILL_RECONCILE_EVERY_S": "1",
            "VOXMILL_OFFLINE": "true",
        }
        _make_book(environment, tmp_path)
    logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert not [secret for secret in (SECRET, quote(SECRET, safe=""), KEY) if secret in logs]


def _make_book(environment: dict[str, str], folder: Path) -> None:
    """Start who is needed, submit a book, and wait for it."""
    book = folder / "book.md"
    book.write_text("# A book\n\nThe lamp was lit at a quarter past nine.\n")
    commands = {
        "worker": ("worker",),
        "reconciler": ("reconcile",),
        "submit": ("submit", str(book), "--output", "s3://voxmill/out", *SILENT, "--wait"),
    }
    running = [
        servers.Child([*VOXMILL, *command], folder / f"{name}.log", environment)
        for name, command in commands.items()
    ]
    try:
        for child in running:
            child.start()
        assert running[-1].wait(WITHIN_S) == 0, running[-1].log.read_text()
    finally:
        for child in running:
            child.kill()
