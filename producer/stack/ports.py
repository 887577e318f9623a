"""Ports that a stack keeps over restarts, so that whoever knows them finds it again."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path

from producer.stack.servers import LOOPBACK, free_ports


def ports(folder: Path, names: list[str]) -> dict[str, int]:
    """Return a port for each name: the one it had before, else a free one."""
    path = folder / "ports.json"
    known: dict[str, int] = {}
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text())
    missing = [name for name in names if name not in known]
    known |= dict(zip(missing, free_ports(len(missing)), strict=True))
    path.write_text(json.dumps(known))
    return {name: known[name] for name in names}


def answers(port: int) -> bool:
    """Tell whether something listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0
