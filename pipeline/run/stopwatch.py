"""Processor seconds by stage, so that a run can say where its time went."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the processor time this process spends in each stage."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what happens inside to a stage."""
        started = time.process_time()
        try:
            yield
        finally:
            self._spent[name] += time.process_time() - started  # type: ignore[assignment]

    def read(self) -> dict[str, float]:
        """Return the seconds by stage since the last reading, and start over."""
        spent, self._spent = dict(self._spent), Counter()
        return spent
