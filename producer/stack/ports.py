"""Ports of the stack: kept over restarts, unless a stranger has taken one meanwhile."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping

from producer.stack.servers import LOOPBACK, free_ports, is_free


def settled(
    known: Mapping[str, int], wanted: Collection[str], listening: Collection[str]
) -> dict[str, int]:
    """Return a port for each name: the one it had, else a free one.

    Args:
        known: The ports so far.
        wanted: The names that need one.
        listening: The names that are on their ports now; what holds the port of any other is
            no part of the stack.
    """
    kept = {name: port for name, port in known.items() if name in listening or is_free(port)}
    missing = [name for name in wanted if name not in kept]
    return {**known, **kept, **dict(zip(missing, free_ports(len(missing)), strict=True))}


def answers(port: int) -> bool:
    """Tell whether something listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0
