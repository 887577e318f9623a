"""What a stack consists of: each process's command, port and environment."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline import local_stack
from pipeline.errors import MissingToolError
from pipeline.local_stack import StackState
from producer.stack import servers
from producer.stack.servers import LOOPBACK, WEED_PORTS

BUCKET = "voxmill"
PACKAGES = ("boto3", "celery", "prometheus_client", "redis")
WORKER = "worker-"


@dataclass(frozen=True, slots=True)
class Part:
    """A process the stack should have."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str]


def require_packages() -> None:
    """Make sure that a stack can be started.

    Raises:
        MissingToolError: A package is not installed.
    """
    for name in PACKAGES:
        if util.find_spec(name) is None:
            raise MissingToolError(f"The stack needs {name}. pip install 'voxmill[stack]'")


def ours(n_workers: int) -> list[str]:
    """Return the names of all processes but the servers'."""
    return [*(f"{WORKER}{i + 1}" for i in range(n_workers)), "finalizer", "reconciler"]


def port_names(process: str) -> Sequence[str]:
    """Return the names of the ports of a process."""
    return WEED_PORTS if process == "s3" else (process,)


def described(before: StackState | None, ports: Mapping[str, int]) -> StackState:
    """Return the state of a stack on some ports, with the keys it had before, else new ones."""
    password = urlsplit(before.redis_url).password if before else secrets.token_urlsafe(24)
    return StackState(
        processes=before.processes if before else (),
        ports=dict(ports),
        store_url=f"s3://{BUCKET}",
        redis_url=f"redis://:{password}@{LOOPBACK}:{ports['redis']}/0",
        s3_endpoint_url=f"http://{LOOPBACK}:{ports['s3.port']}",
        s3_access_key_id=before.s3_access_key_id if before else secrets.token_hex(10),
        s3_secret_access_key=before.s3_secret_access_key if before else secrets.token_urlsafe(30),
    )


def server_parts(state: StackState, folder: Path) -> Iterator[Part]:
    """Yield what the others need."""
    password = urlsplit(state.redis_url).password or ""
    redis = servers.redis_command(folder / "redis", state.ports["redis"], password)
    yield Part("redis", redis, state.ports["redis"], os.environ)
    weed = servers.weed_command(
        folder / "s3", state.ports, state.s3_access_key_id, state.s3_secret_access_key
    )
    yield Part("s3", weed, state.ports["s3.port"], os.environ)


def our_parts(state: StackState, names: Sequence[str]) -> Iterator[Part]:
    """Yield workers, finalizer and reconciler."""
    for name in names:
        port = state.ports[name]
        # Whatever lies in the folder where the command is given is not imported.
        command = [sys.executable, "-P", "-m", "producer.cli.app", *_arguments(name)]
        yield Part(name, command, port, _environment(state, port))


def _arguments(name: str) -> list[str]:
    if name == "reconciler":
        return ["reconcile"]
    queues = "finalize" if name == "finalizer" else "synth,check"
    return ["worker", "--queues", queues, "--name", name]


def _environment(state: StackState, port: int) -> dict[str, str]:
    """Return this machine's environment, in which whatever leads to another queue is replaced."""
    ours = {
        **local_stack.reaching(state),
        "log_format": "json",
        "metrics_host": LOOPBACK,
        "metrics_port": port,
    }
    told = {f"VOXMILL_{name.upper()}": value for name, value in ours.items()}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in told}
    return kept | {name: _shown(value) for name, value in told.items() if value is not None}


def _shown(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
