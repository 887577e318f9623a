"""A real S3 server on loopback, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from servers import START_S, Child, eventually

from pipeline.settings import Settings
from pipeline.store import s3_client
from producer.stack.servers import LOOPBACK, WEED_PORTS, free_ports, weed_command

ACCESS_KEY, SECRET_KEY = "tester", "tester-secret"


@dataclass
class S3(Child):
    """An S3 server; it keeps its address and its data over its deaths."""

    endpoint_url: str = ""

    @property
    def settings(self) -> Settings:
        """What reaches it."""
        return Settings(
            s3_endpoint_url=self.endpoint_url,
            s3_access_key_id=SecretStr(ACCESS_KEY),
            s3_secret_access_key=SecretStr(SECRET_KEY),
        )

    def start(self) -> None:
        super().start()
        eventually(lambda: s3_client.answers(self.settings), START_S)
        assert self.is_running, self.log.read_text()[-3000:]


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Run an S3 server as long as the test lasts; the one of the stack."""
    ports = dict(zip(WEED_PORTS, free_ports(len(WEED_PORTS)), strict=True))
    command = weed_command(folder / "s3", ports, ACCESS_KEY, SECRET_KEY)
    server = S3(command, folder / "s3.log", endpoint_url=f"http://{LOOPBACK}:{ports['s3.port']}")
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def running(folder: Path) -> Iterator[Settings]:
    """Run an S3 server, and yield the settings that reach it."""
    with s3(folder) as server:
        yield server.settings
