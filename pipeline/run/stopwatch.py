"""Processor seconds by stage, so that a run can say where its time went."""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the processor time this process spends in each stage."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what happens inside to a stage."""
        started = time.process_time()
        try:
            yield
        finally:
            self._spent[name] += time.process_time() - started

    def read(self) -> dict[str, float]:
        """Return the seconds by stage since the last reading, and start over."""
        spent, self._spent = dict(self._spent), defaultdict(float)
        return spent


def processor_s() -> float:
    """Return the processor time of this process and of all its ended children so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
