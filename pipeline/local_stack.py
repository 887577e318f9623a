"""The development stack that may be running on this machine, and how it is reached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from pipeline.errors import CorruptObjectError, RequestError
from pipeline.manifest.base import Record
from pipeline.settings import Settings

STATE = "stack.json"


class StackProcess(Record):
    """A process of the stack."""

    name: str
    pid: int
    #: When the process began, in the system's own count: a recycled pid is not taken for it.
    started: int
    port: int | None


class StackState(Record):
    """What `voxmill stack up` has started; readable by its owner only."""

    version: Literal[1] = 1
    #: In the order in which they were started; none when the stack is down.
    processes: tuple[StackProcess, ...]
    #: By what listens there; kept over restarts, so that whoever knows them finds it again.
    ports: dict[str, int]
    store_url: str
    redis_url: str
    s3_endpoint_url: str
    s3_access_key_id: str
    s3_secret_access_key: str


def load(folder: Path) -> StackState | None:
    """Return the state of the stack in a folder, or None where there never was one.

    Raises:
        CorruptObjectError: It cannot be read: damaged, or another version's.
    """
    try:
        data = (folder / STATE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return StackState.decode(data)
    except CorruptObjectError as error:
        raise CorruptObjectError(
            f"{folder / STATE} is damaged, or of another version of Voxmill. End what still runs "
            f"of the stack (the logs beside it name the processes), and delete it. {error}"
        ) from error


def save(state: StackState, folder: Path) -> None:
    """Keep the state, with its keys, in a file that only its owner may read."""
    temporary = folder / f"{STATE}.part"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(state.encode())
    temporary.replace(folder / STATE)


def is_running(process: StackProcess) -> bool:
    """Tell whether a process lives, and is the one that was started."""
    return started(process.pid) == process.started


def started(pid: int) -> int | None:
    """Return when a process began, in the system's own count; None when there is none."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return None
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0  # systems without /proc: alive is all that can be told
    fields = stat.read_text().rpartition(")")[2].split()
    state, n_threads, began = fields[0], int(fields[17]), int(fields[19])
    # What is dead but for its other threads still has its files and ports.
    return None if state == "Z" and n_threads <= 1 else began


def settings_of_running(settings: Settings) -> Settings:
    """Return settings that reach the running stack, where they name no store themselves.

    Raises:
        RequestError: They name none, and no stack is running.
    """
    if settings.store_url:
        return settings
    state = load(settings.stack_dir)
    if state is None or not any(map(is_running, state.processes)):
        raise RequestError(
            "There is no queue. Start one on this machine with `voxmill stack up`, or name one "
            "with VOXMILL_STORE_URL and VOXMILL_REDIS_URL."
        )
    return settings.model_copy(update=reaching(state))


def reaching(state: StackState) -> dict[str, object]:
    """Return the settings that reach a stack, whatever else this machine's may reach."""
    return {
        "store_url": state.store_url,
        "redis_url": SecretStr(state.redis_url),
        "broker_url": None,
        "s3_region": "us-east-1",
        "s3_endpoint_url": state.s3_endpoint_url,
        "s3_access_key_id": SecretStr(state.s3_access_key_id),
        "s3_secret_access_key": SecretStr(state.s3_secret_access_key),
        "s3_session_token": None,
        "s3_ca_bundle": None,
    }
