"""Peak memory of a process and its descendants, shared pages counted once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

#: Seconds between two looks.
EVERY_S = 0.2


class PeakMemory(threading.Thread):
    """Watches a process tree until it ends; `peak_mb` is the largest sum seen."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak_mb = 0.0

    def run(self) -> None:
        """Look until the process is gone."""
        while Path(f"/proc/{self.pid}").exists():
            self.peak_mb = max(self.peak_mb, sum(map(_pss_mb, tree(self.pid))))
            time.sleep(EVERY_S)


def tree(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except OSError:
            continue
        for child in children:
            found += tree(int(child))
    return found


def _pss_mb(pid: int) -> float:
    """Return the proportional set size: a page shared by two processes counts half in each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
