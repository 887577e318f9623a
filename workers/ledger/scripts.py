"""What must happen at once in Redis, each in a script of its own beside this file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

#: What every script begins with.
SHARED = ("keys", "turns", "care")


def key(*parts: object) -> str:
    """Return the name of a key, as the scripts write it."""
    return ":".join(("voxmill:1", *map(str, parts)))


@dataclass(frozen=True, slots=True)
class Scripts:
    """The scripts on one server: sent once, then called by their digest."""

    redis: Any
    _known: dict[str, Any] = field(default_factory=dict)

    def run(self, name: str, *arguments: object) -> Any:
        """Run a script; numbers and names go as text."""
        if name not in self._known:
            self._known[name] = self.redis.register_script(_source(name))
        return self._known[name](args=[str(each) for each in arguments])


@cache
def _source(name: str) -> str:
    folder = resources.files("workers.ledger")
    return "\n".join(folder.joinpath(f"{each}.lua").read_text() for each in (*SHARED, name))
