"""A look at the ledger, for people and for metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.manifest.message import STAGES, Stage
from pipeline.manifest.ref import JobRef
from workers.ledger.items import PRIORITIES, Item
from workers.ledger.ledger import Ledger
from workers.ledger.scripts import key
from workers.ledger.trouble import ask


@dataclass(frozen=True, slots=True)
class StageCount:
    """How much there is at a stage."""

    n_queued: int
    n_leased: int
    #: How long the oldest message has been waiting, in seconds.
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works at what, and how long that is believed without another word."""

    stage: Stage
    item: Item
    owner: str
    left_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is under way at one moment."""

    stages: dict[Stage, StageCount]
    #: Shards that wait for their turn, by job; of jobs that have none as well.
    pending: dict[JobRef, int]
    leases: tuple[Lease, ...]
    #: Work that was put off.
    n_later: int
    #: Live workers and the stages each serves.
    workers: dict[str, tuple[Stage, ...]]


def snapshot(ledger: Ledger) -> Snapshot:
    """Return what is under way at this moment.

    Raises:
        LedgerUnavailableError: Redis does not answer.
    """
    return ask(ledger.where, lambda: _snapshot(ledger))


def _snapshot(ledger: Ledger) -> Snapshot:
    now_s = ledger.now()
    return Snapshot(
        stages={stage: _count(ledger, stage, now_s) for stage in STAGES},
        pending=_pending(ledger),
        leases=tuple(lease for stage in STAGES for lease in _leases(ledger, stage, now_s)),
        n_later=sum(ledger.redis.zcard(key("later", stage)) for stage in STAGES),
        workers=ledger.workers(),
    )


def _count(ledger: Ledger, stage: Stage, now_s: float) -> StageCount:
    pipe = ledger.redis.pipeline(transaction=False)
    for priority in PRIORITIES:
        pipe.zcard(key("queued", stage, priority))
        pipe.zrange(key("queued", stage, priority), 0, 0, withscores=True)
    pipe.zcard(key("leased", stage))
    *lanes, n_leased = pipe.execute()
    since = [at for first in lanes[1::2] for _, at in first]
    return StageCount(sum(lanes[::2]), n_leased, max(0.0, now_s - min(since, default=now_s)))


def _pending(ledger: Ledger) -> dict[JobRef, int]:
    """Return how many shards of each job wait for their turn."""
    jobs = sorted(ledger.redis.smembers(key("jobs")))
    pipe = ledger.redis.pipeline(transaction=False)
    for job in jobs:
        pipe.llen(key("pending", job))
    return {JobRef.parse(job): n for job, n in zip(jobs, pipe.execute(), strict=True)}


def _leases(ledger: Ledger, stage: Stage, now_s: float) -> Iterator[Lease]:
    held: list[tuple[str, float]] = ledger.redis.zrange(
        key("leased", stage), 0, -1, withscores=True
    )
    names = [name for name, _ in held]
    values = ledger.redis.hmget(key("care", stage), names) if names else []
    for (name, expires_s), value in zip(held, values, strict=True):
        if value:  # else it ended a moment ago
            job, shard = name.split("|")
            owner = value.split("|", 2)[2]
            yield Lease(stage, Item(JobRef.parse(job), shard), owner, max(0.0, expires_s - now_s))
