"""A look at the ledger, for people and for metrics."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pipeline.manifest.message import STAGES, Stage
from pipeline.manifest.ref import JobRef
from workers.ledger.ledger import PREFIX, Item, Ledger
from workers.ledger.trouble import explained


@dataclass(frozen=True, slots=True)
class StageCount:
    """How much there is at a stage."""

    n_queued: int
    n_leased: int
    #: How long the oldest has been waiting, in seconds.
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
    #: Shards that wait for their turn, by job.
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
    with explained(ledger.where):
        return _snapshot(ledger)


def _snapshot(ledger: Ledger) -> Snapshot:
    redis, now = ledger.redis, ledger.now()
    queued: defaultdict[str, list[float]] = defaultdict(list)
    leased: list[tuple[str, str]] = []
    for name, value in redis.hgetall(f"{PREFIX}:care").items():
        _, state, since = value.split("|")
        stage = name.partition("|")[0]
        if state == "leased":
            leased.append((stage, name))
        else:
            queued[stage].append(float(since))
    return Snapshot(
        stages={
            stage: StageCount(
                n_queued=len(queued[stage]),
                n_leased=sum(each == stage for each, _ in leased),
                oldest_s=max((now - since for since in queued[stage]), default=0.0),
            )
            for stage in STAGES
        },
        pending=_pending(ledger),
        leases=tuple(_leases(ledger, [name for _, name in leased])),
        n_later=redis.zcard(f"{PREFIX}:later"),
        workers=ledger.workers(),
    )


def _pending(ledger: Ledger) -> dict[JobRef, int]:
    """Return how many shards of each job wait for their turn."""
    jobs = ledger.redis.zrange(f"{PREFIX}:fair", 0, -1)
    pipe = ledger.redis.pipeline(transaction=False)
    for job in jobs:
        pipe.llen(f"{PREFIX}:pending:{job}")
    return {JobRef.parse(job): n for job, n in zip(jobs, pipe.execute(), strict=True)}


def _leases(ledger: Ledger, names: list[str]) -> list[Lease]:
    pipe = ledger.redis.pipeline(transaction=False)
    for name in names:
        pipe.get(f"{PREFIX}:lease:{name}")
        pipe.pttl(f"{PREFIX}:lease:{name}")
    answers = pipe.execute()
    found = []
    for name, owner, left_ms in zip(names, answers[::2], answers[1::2], strict=True):
        stage, job, shard = name.split("|")
        if owner:
            item = Item(JobRef.parse(job), shard)
            known: Stage = next(each for each in STAGES if each == stage)
            found.append(Lease(known, item, owner, max(0.0, left_ms / 1000)))
    return found
