"""The development stack that may be running on this machine, and how it is reached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import platformdirs
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
    processes: tuple[StackProcess, ...]
    store_url: str
    redis_url: str
    s3_endpoint_url: str
    s3_access_key_id: str
    s3_secret_access_key: str


def default_folder() -> Path:
    """Return where the stack keeps everything, if nowhere else."""
    return Path(platformdirs.user_data_dir("voxmill")) / "stack"


def load(folder: Path) -> StackState | None:
    """Return the state of the stack in a folder, or None where there is none."""
    try:
        return StackState.decode((folder / STATE).read_bytes())
    except (OSError, CorruptObjectError):
        return None


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
    return None if fields[0] == "Z" else int(fields[19])


def settings_of_running(settings: Settings) -> Settings:
    """Return settings that reach the running stack, where they name no store themselves.

    Raises:
        RequestError: They name none, and no stack is running.
    """
    if settings.store_url:
        return settings
    state = load(default_folder())
    if state is None or not any(map(is_running, state.processes)):
        raise RequestError(
            "There is no queue. Start one on this machine with `voxmill stack up`, or name one "
            "with VOXMILL_STORE_URL and VOXMILL_REDIS_URL."
        )
    return settings.model_copy(update=reaching(state))


def reaching(state: StackState) -> dict[str, object]:
    """Return the settings that reach a stack."""
    return {
        "store_url": state.store_url,
        "redis_url": SecretStr(state.redis_url),
        "broker_url": None,
        "s3_endpoint_url": state.s3_endpoint_url,
        "s3_access_key_id": SecretStr(state.s3_access_key_id),
        "s3_secret_access_key": SecretStr(state.s3_secret_access_key),
    }
