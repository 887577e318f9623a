"""What the ledger speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from pipeline.manifest.job import Priority
from pipeline.manifest.message import STAGES, Stage
from pipeline.manifest.ref import JobRef

PRIORITIES: tuple[Priority, ...] = get_args(Priority)


@dataclass(frozen=True, slots=True)
class Item:
    """What is worked at: a shard, or with no shard a whole book."""

    job: JobRef
    shard: str

    def __str__(self) -> str:
        return f"{self.job} {self.shard}".strip()


@dataclass(frozen=True, slots=True)
class Picked:
    """A shard whose turn it is, noted as published at a time."""

    item: Item
    priority: Priority
    at: float


@dataclass(frozen=True, slots=True)
class Begun:
    """A lease was taken, and the attempt was counted before it runs."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Cared:
    """Work at a stage that should be published again."""

    stage: Stage
    item: Item
    priority: Priority


def stage_named(name: str) -> Stage:
    """Return the stage of a name."""
    return next(stage for stage in STAGES if stage == name)


def priority_named(name: str) -> Priority:
    """Return the priority of a name."""
    return next(priority for priority in PRIORITIES if priority == name)
