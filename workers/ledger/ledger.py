"""The ledger itself: one script in Redis for each thing that must happen at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipeline.manifest.job import Priority
from pipeline.manifest.message import STAGES, Stage
from pipeline.manifest.ref import JobRef
from workers.ledger.items import Begun, Cared, Item, Picked, priority_named, stage_named
from workers.ledger.scripts import Scripts, key
from workers.ledger.trouble import ask


@dataclass(slots=True)
class Ledger:
    """Leases, attempts and turns, by the clock of the Redis server.

    Every method may raise `LedgerUnavailableError`.

    Args:
        redis: A client that decodes answers.
        where: Host and port, for messages.
    """

    # Its own types do not know that answers are decoded, and it would show the password.
    redis: Any = field(repr=False)
    where: str
    _scripts: Scripts = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._scripts = Scripts(self.redis)

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
            weight: How many turns it has for each of a job of weight 1.
            priority: Of its messages.
            created_s: One turn of eight is the oldest job's.
            left: Shards without a receipt; those nobody works at are put in line.
            tenant_shards: How many shards the tenant may have in flight.
        """
        self._run("admit", job, weight, priority, created_s, tenant_shards or 0, *left)

    def knows(self, jobs: Collection[JobRef]) -> set[JobRef]:
        """Return which of the jobs are known here."""
        known: set[str] = ask(self.where, lambda: self.redis.smembers(key("jobs")))
        return {job for job in jobs if str(job) in known}

    def forget(self, job: JobRef) -> None:
        """Drop everything of a job."""
        self._run("forget", job)

    def pick(self, window: int) -> list[Picked]:
        """Take the next shards by fair share, until `window` are in flight.

        In flight is what is published to an engine, and not yet spoken.
        """
        return [
            Picked(Item(JobRef.parse(job), shard), priority_named(priority), float(at))
            for job, shard, priority, at in self._rows("pick", window)
        ]

    def queued(self, stage: Stage, item: Item, priority: Priority) -> float:
        """Note that work is published now; return the time that goes into its message.

        Whoever is at it keeps its lease.
        """
        return float(self._run("queued", stage, item.job, item.shard, priority))

    def begin(
        self, stage: Stage, item: Item, priority: Priority, at: float, owner: str, lease_s: float
    ) -> Begun | None:
        """Take work that a message offers, and count the attempt.

        Asking again while the lease lives gives the same attempt: the answer may have been lost.

        Returns:
            None when somebody is at it, or it is done or at another stage by now.
        """
        offer = (stage, item.job, item.shard, priority, f"{at:.6f}")
        number = self._run("begin", *offer, owner, lease_s)
        return None if number is None else Begun(int(number))

    def renew(self, stage: Stage, item: Item, owner: str, lease_s: float) -> bool:
        """Keep a lease, or take it back while nobody else has; False when it is lost."""
        return bool(self._run("renew", stage, item.job, item.shard, owner, lease_s))

    def end(self, stage: Stage, item: Item, owner: str) -> bool:
        """Let go of work; False when it was not ours any more."""
        return bool(self._run("finish", stage, item.job, item.shard, owner))

    def refund(self, stage: Stage, item: Item) -> None:
        """Take back that an attempt was counted: it failed for no fault of the work's."""
        self._run("refund", stage, item.job, item.shard)

    def hand_over(self, item: Item, priority: Priority) -> float:
        """Pass a spoken shard on to be checked; return the time for its message."""
        return float(self._run("hand_over", item.job, item.shard, priority))

    def again(self, item: Item) -> None:
        """Put a shard that wants another take in line, first of its job."""
        self._run("again", item.job, item.shard)

    def done(self, item: Item) -> int:
        """Note that a shard is settled.

        Returns:
            How many of the job's are left, however often it is noted; -1 when the job is unknown.
        """
        return int(self._run("done", item.job, item.shard))

    def split(self, item: Item, parts: Sequence[str]) -> None:
        """Put parts of a shard in line instead of the whole."""
        self._run("split", item.job, item.shard, *parts)

    def later(self, item: Item, stage: Stage, delay_s: float) -> None:
        """Put work off; `due` tells when it is time."""
        self._run("later", stage, item.job, item.shard, delay_s)

    def due(self) -> list[Cared]:
        """Return what was put off until now; it is due until it is published.

        Shards that are to be spoken are not returned but put in line.
        """
        return self._cared("due")

    def neglected(self, empty: Collection[tuple[Stage, Priority]], slack_s: float) -> list[Cared]:
        """Return the work that nobody looks after any more.

        Leased work whose lease ran out; and published work whose message is not coming: one that
        was published after it has been taken, or its queue is empty.

        Args:
            empty: Queues that are known to hold nothing.
            slack_s: How long a message may be on its way.
        """
        return self._cared("neglected", slack_s, *map("|".join, empty))

    def is_cared_for(self, stage: Stage, item: Item) -> bool:
        """Tell whether work is published, worked at, or put off."""
        name = f"{item.job}|{item.shard}"
        return ask(
            self.where,
            lambda: (
                self.redis.hexists(key("care", stage), name)
                or self.redis.zscore(key("later", stage), name) is not None
            ),
        )

    def here(self, worker: str, stages: Sequence[Stage], for_s: float) -> None:
        """Note that a worker lives."""
        self._run("here", worker, for_s, *stages)

    def gone(self, worker: str) -> None:
        """Note that a worker takes no more work."""
        for stage in STAGES:
            ask(self.where, partial(self.redis.zrem, key("workers", stage), worker))

    def workers(self) -> dict[str, tuple[Stage, ...]]:
        """Return the live workers and the stages each serves."""
        now_s = self.now()
        found: dict[Stage, list[str]] = {
            stage: ask(
                self.where,
                partial(self.redis.zrangebyscore, key("workers", stage), now_s, "+inf"),
            )
            for stage in STAGES
        }
        return {
            name: tuple(stage for stage in STAGES if name in found[stage])
            for name in sorted(set().union(*found.values()))
        }

    def n_workers(self, stage: Stage) -> int:
        """Return how many live workers serve a stage."""
        return int(self._run("n_workers", stage))

    def turn(self, name: str, owner: str, for_s: float) -> bool:
        """Tell whether it is this process's turn at something only one should do at a time."""
        return bool(self._run("turn", name, owner, for_s))

    def now(self) -> float:
        """Return the server's time, in seconds since 1970."""
        seconds, micros = ask(self.where, self.redis.time)
        return float(seconds) + float(micros) / 1e6

    def _run(self, script: str, *arguments: object) -> Any:
        return ask(self.where, lambda: self._scripts.run(script, *arguments))

    def _rows(self, script: str, *arguments: object) -> list[tuple[str, str, str, str]]:
        """Run a script that returns rows of four."""
        flat = iter(self._run(script, *arguments))
        return list(zip(flat, flat, flat, flat, strict=True))

    def _cared(self, script: str, *arguments: object) -> list[Cared]:
        return [
            Cared(stage_named(stage), Item(JobRef.parse(job), shard), priority_named(priority))
            for stage, job, shard, priority in self._rows(script, *arguments)
        ]
