"""How long a farm takes to make good what a fault has hit, kept for the table in the docs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from farm import Farm, Job

from pipeline.jobs.records import load_receipt
from workers.ledger import observing

#: Name of the variable that says which JSON file the figures go to.
VARIABLE = "CHAOS_RESULTS"


@dataclass(frozen=True)
class Fault:
    """A moment, and the shards that were worked at."""

    farm: Farm
    job: Job
    hit: frozenset[str]
    at_s: float = field(default_factory=time.time)

    def recovered_s(self) -> float:
        """Return the seconds until the last of them was settled; of a book, until it was decided.

        Nothing that is measured here waits for its turn: it was being worked at.
        """
        found = self.farm.tree(self.job)
        if self.hit <= {""}:
            result = self.farm.result(self.job)
            assert result
            assert result.finished_s
            return result.finished_s - self.at_s
        leaves = [each for each in found.leaves() if each.rstrip("ab") in self.hit]
        receipts = [load_receipt(self.job.id, each, self.farm.store) for each in leaves]
        return max(each.finished_s - self.at_s for each in receipts if each)


def fault(farm: Farm, job: Job) -> Fault:
    """Note what is worked at now: it is about to be hit."""
    leases = observing.snapshot(farm.ledger).leases
    return Fault(
        farm, job, frozenset(each.item.shard for each in leases if each.item.job.id == job.id)
    )


def record(scenario: str, **figures: float) -> None:
    """Keep the figures of a scenario, where somebody asked for them."""
    where = os.environ.get(VARIABLE)
    if not where:
        return
    path = Path(where)
    known = json.loads(path.read_text()) if path.exists() else {}
    known[scenario] = {name: round(value, 3) for name, value in figures.items()}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
