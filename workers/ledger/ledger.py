"""The ledger itself: one script in Redis for each thing that must happen at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from pipeline.manifest.job import Priority
from pipeline.manifest.message import STAGES, Stage
from pipeline.manifest.ref import JobRef
from workers.ledger.trouble import explained

PREFIX = "voxmill"


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


@dataclass(slots=True)
class Ledger:
    """Leases, attempts and turns, by the clock of the Redis server.

    Every method may raise `LedgerUnavailableError`.

    Args:
        redis: A client that decodes answers.
        where: Host and port, for messages.
    """

    redis: Any  # its own types do not know that answers are decoded
    where: str
    _scripts: dict[str, Any] = field(default_factory=dict)

    def admit(
        self,
        job: JobRef,
        *,
        weight: float,
        priority: Priority,
        created_s: int,
        left: Iterable[str],
        tenant_shards: int | None = None,
    ) -> None:
        """Make a job's state what the store says; harmless at any time.

        Args:
            job: The job.
            weight: How many shards it has in work for each of a job of weight 1.
            priority: Of its messages.
            created_s: Of jobs alike the older comes first.
            left: Shards without a receipt; those nobody works at are put in line.
            tenant_shards: How many shards the tenant may have in work.
        """
        facts = (job, weight, priority, created_s, job.tenant, tenant_shards or 0)
        self._run("admit", *facts, *left)

    def knows(self, jobs: Collection[JobRef]) -> set[JobRef]:
        """Return which of the jobs are known here."""
        with self._explained():
            pipe = self.redis.pipeline(transaction=False)
            for job in jobs:
                pipe.exists(f"{PREFIX}:job:{job}")
            return {job for job, found in zip(jobs, pipe.execute(), strict=True) if found}

    def forget(self, job: JobRef) -> None:
        """Drop everything of a job."""
        self._run("forget", job)

    def pick(self, window: int) -> list[Picked]:
        """Take the next shards by fair share, until `window` are in flight.

        Next is a shard of the job that has the least in flight for its weight, then of the oldest.
        In flight is what is published to an engine, and not yet spoken.
        """
        found: list[str] = self._run("pick", window)
        rows = [found[i : i + 4] for i in range(0, len(found), 4)]
        return [
            Picked(Item(JobRef.parse(job), shard), _priority(priority), float(at))
            for job, shard, priority, at in rows
        ]

    def queued(self, stage: Stage, item: Item, priority: Priority) -> float:
        """Note that work is published now; return the time that goes into its message."""
        return float(self._run("queued", stage, item.job, item.shard, priority))

    def begin(
        self, stage: Stage, item: Item, priority: Priority, at: float, owner: str, lease_s: float
    ) -> Begun | None:
        """Take work that a message offers, and count the attempt.

        Returns:
            None when somebody is at it, or it is done or at another stage by now.
        """
        work = (stage, item.job, item.shard)
        number = self._run("begin", *work, priority, f"{at:.6f}", owner, int(lease_s * 1000))
        return None if number is None else Begun(int(number))

    def renew(self, stage: Stage, item: Item, owner: str, lease_s: float) -> bool:
        """Keep a lease; False when it is lost."""
        work = (stage, item.job, item.shard)
        return bool(self._run("renew", *work, owner, int(lease_s * 1000)))

    def end(self, stage: Stage, item: Item, owner: str) -> bool:
        """Let go of work; False when it was not ours any more."""
        return bool(self._run("finish", stage, item.job, item.shard, owner))

    def refund(self, stage: Stage, item: Item) -> None:
        """Take back that an attempt was counted: it failed for no fault of the work's."""
        with self._explained():
            name = _work(stage, item)
            if self.redis.hincrby(f"{PREFIX}:tries", name, -1) <= 0:
                self.redis.hdel(f"{PREFIX}:tries", name)

    def hand_over(self, item: Item, priority: Priority) -> float:
        """Pass a spoken shard on to be checked; return the time for its message."""
        return float(self._run("hand_over", item.job, item.shard, priority))

    def again(self, item: Item) -> None:
        """Put a shard that wants another take in line, first of its job."""
        self._run("again", item.job, item.shard)

    def done(self, item: Item) -> int:
        """Note that a shard is settled.

        Returns:
            How many of the job's are left; -1 when this was known, or the job is not.
        """
        return int(self._run("done", item.job, item.shard))

    def split(self, item: Item, parts: Sequence[str]) -> None:
        """Put parts of a shard in line instead of the whole."""
        self._run("split", item.job, item.shard, *parts)

    def later(self, item: Item, stage: Stage, delay_s: float) -> None:
        """Put work off; `due` tells when it is time."""
        self._run("later", stage, item.job, item.shard, delay_s)

    def due(self) -> list[Cared]:
        """Return what was put off until now; it is due until it is published."""
        names: list[str] = self._run("due")
        with self._explained():
            found = [_parsed(name) for name in names]
            jobs = {item.job for _, item in found}
            priorities = {job: self.redis.hget(f"{PREFIX}:job:{job}", "priority") for job in jobs}
        return [
            Cared(stage, item, _priority(priorities[item.job] or "normal")) for stage, item in found
        ]

    def neglected(self, empty: Collection[tuple[Stage, Priority]], slack_s: float) -> list[Cared]:
        """Return the work that nobody looks after any more.

        Leased work whose lease ran out; and published work whose message is not coming: one that
        was published after it has been taken, or its queue is empty.

        Args:
            empty: Queues that are known to hold nothing.
            slack_s: How long a message may be on its way.
        """
        found: list[str] = self._run("neglected", slack_s, *map("|".join, empty))
        pairs = [(found[i], found[i + 1]) for i in range(0, len(found), 2)]
        return [Cared(*_parsed(name), _priority(priority)) for name, priority in pairs]

    def is_cared_for(self, stage: Stage, item: Item) -> bool:
        """Tell whether work is published, worked at, or put off."""
        with self._explained():
            name = _work(stage, item)
            return bool(
                self.redis.hexists(f"{PREFIX}:care", name)
                or self.redis.zscore(f"{PREFIX}:later", name) is not None
            )

    def here(self, worker: str, stages: Sequence[Stage], for_s: float) -> None:
        """Note that a worker lives."""
        with self._explained():
            self.redis.zadd(
                f"{PREFIX}:workers", {f"{worker}|{','.join(stages)}": self.now() + for_s}
            )

    def gone(self, worker: str) -> None:
        """Note that a worker takes no more work."""
        with self._explained():
            for each in self.redis.zrange(f"{PREFIX}:workers", 0, -1):
                if each.partition("|")[0] == worker:
                    self.redis.zrem(f"{PREFIX}:workers", each)

    def workers(self) -> dict[str, tuple[Stage, ...]]:
        """Return the live workers and the stages each serves."""
        with self._explained():
            self.redis.zremrangebyscore(f"{PREFIX}:workers", "-inf", self.now())
            rows = [each.split("|") for each in self.redis.zrange(f"{PREFIX}:workers", 0, -1)]
        return {
            name: tuple(stage for stage in STAGES if stage in served.split(","))
            for name, served in rows
        }

    def n_workers(self, stage: Stage) -> int:
        """Return how many live workers serve a stage."""
        return sum(stage in served for served in self.workers().values())

    def turn(self, name: str, owner: str, for_s: float) -> bool:
        """Tell whether it is this process's turn at something only one should do at a time."""
        with self._explained():
            key = f"{PREFIX}:turn:{name}"
            if self.redis.set(key, owner, nx=True, px=int(for_s * 1000)):
                return True
            return bool(self.redis.get(key) == owner)

    def now(self) -> float:
        """Return the server's time, in seconds since 1970."""
        seconds, micros = self.redis.time()
        return float(seconds) + float(micros) / 1e6

    def _run(self, name: str, *arguments: Any) -> Any:
        if name not in self._scripts:
            self._scripts[name] = self.redis.register_script(_source("common") + _source(name))
        with self._explained():
            return self._scripts[name](args=[_plain(each) for each in arguments])

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self.where)


@cache
def _source(name: str) -> str:
    return resources.files("workers.ledger").joinpath(f"{name}.lua").read_text()


def _plain(value: Any) -> str | int | float:
    return value if isinstance(value, int | float) else str(value)


def _work(stage: Stage, item: Item) -> str:
    return f"{stage}|{item.job}|{item.shard}"


def _parsed(name: str) -> tuple[Stage, Item]:
    stage, job, shard = name.split("|")
    return _stage(stage), Item(JobRef.parse(job), shard)


def _stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)


def _priority(name: str) -> Priority:
    priorities: tuple[Priority, ...] = ("high", "normal", "low")
    return next(priority for priority in priorities if priority == name)
