"""A real S3 server on loopback, for as long as a test needs it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pydantic import SecretStr

from pipeline.settings import Settings
from producer.stack.servers import LOOPBACK, WEED_PORTS, free_ports, weed_command

ACCESS_KEY, SECRET_KEY = "tester", "tester-secret"
#: Until its parts have found one another.
START_S = 60


@contextmanager
def running(folder: Path) -> Iterator[Settings]:
    """Start a server, and yield the settings that reach it."""
    ports = dict(zip(WEED_PORTS, free_ports(len(WEED_PORTS)), strict=True))
    endpoint = f"http://{LOOPBACK}:{ports['s3.port']}"
    with (
        (folder / "weed.log").open("wb") as log,
        subprocess.Popen(
            weed_command(folder, ports, ACCESS_KEY, SECRET_KEY), stdout=log, stderr=log
        ) as server,
    ):
        try:
            _await(endpoint, server)
            yield Settings(
                s3_endpoint_url=endpoint,
                s3_access_key_id=SecretStr(ACCESS_KEY),
                s3_secret_access_key=SecretStr(SECRET_KEY),
            )
        finally:
            server.kill()


def _await(endpoint: str, server: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and server.poll() is None:
        try:
            urlopen(f"{endpoint}/status", timeout=2).close()  # noqa: S310 - http, to loopback
        except HTTPError as error:
            error.close()
            return  # it refuses us: it is there
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the S3 server does not answer")
