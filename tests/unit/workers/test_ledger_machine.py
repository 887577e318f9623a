"""The ledger beside a model of it in plain Python, whatever is done in whatever order."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.manifest.message import Stage
from pipeline.manifest.ref import JobRef
from workers.ledger import Begun, Item, Ledger
from workers.ledger.scripts import key

JOBS = (JobRef("", "a"), JobRef("t", "b"))
SHARDS = ("0", "1", "2")
LIMITS = {JOBS[0]: None, JOBS[1]: 2}

jobs = st.sampled_from(JOBS)
items = st.builds(Item, jobs, st.sampled_from(SHARDS))
stages: st.SearchStrategy[Stage] = st.sampled_from(["synth", "check"])
owners = st.sampled_from(["x", "y"])


@dataclass(frozen=True)
class Holder:
    """Who has taken work; nobody while it is published."""

    owner: str = ""
    is_alive: bool = False


@dataclass
class Model:
    """What the ledger should know."""

    #: Of known jobs the shards that wait, in order.
    pending: dict[JobRef, list[str]] = field(default_factory=dict)
    left: dict[JobRef, set[str]] = field(default_factory=dict)
    care: dict[tuple[Stage, Item], Holder] = field(default_factory=dict)
    later: set[tuple[Stage, Item]] = field(default_factory=set)
    tries: Counter[tuple[Stage, Item]] = field(default_factory=Counter)

    def admit(self, job: JobRef, left: set[str]) -> None:
        self.left[job] = left
        kept = [shard for shard in self.pending.get(job, []) if shard in left]
        away = {item.shard for _, item in {*self.care, *self.later} if item.job == job}
        self.pending[job] = [*kept, *sorted(left - away - set(kept))]

    def first(self, item: Item) -> None:
        """Put a shard in front, if it is to be done and nobody speaks it."""
        if item.shard in self.left.get(item.job, ()) and ("synth", item) not in self.care:
            self.remove(item)
            self.pending[item.job].insert(0, item.shard)

    def remove(self, item: Item) -> None:
        if item.shard in self.pending.get(item.job, []):
            self.pending[item.job].remove(item.shard)

    def clear(self, item: Item) -> None:
        for stage in ("synth", "check"):
            self.care.pop((stage, item), None)
            self.later.discard((stage, item))
            self.tries.pop((stage, item), None)

    def publish(self, stage: Stage, item: Item) -> None:
        if not self.is_held(stage, item):
            self.care[stage, item] = Holder()

    def is_held(self, stage: Stage, item: Item) -> bool:
        return self.care.get((stage, item), Holder()).is_alive

    def in_flight(self, tenant: str | None = None) -> int:
        return sum(
            stage == "synth" and tenant in (None, item.job.tenant) for stage, item in self.care
        )

    def may_fly(self, job: JobRef) -> list[str]:
        limit = LIMITS[job]
        if limit is not None and self.in_flight(job.tenant) >= limit:
            return []
        return [
            shard
            for shard in self.pending.get(job, [])
            if shard in self.left[job] and ("synth", Item(job, shard)) not in self.care
        ]


class LedgerMachine(RuleBasedStateMachine):
    """Everything that workers and reconcilers do, and what happens to them."""

    ledger: ClassVar[Ledger]

    def __init__(self) -> None:
        super().__init__()
        self.ledger.redis.flushall()
        self.model = Model()
        #: The truth: shards without a receipt.
        self.store = {job: set(SHARDS) for job in JOBS}

    @rule(job=jobs)
    def admit(self, job: JobRef) -> None:
        left = sorted(self.store[job])
        self.ledger.admit(
            job,
            weight=4.0,
            priority="normal",
            created_s=1,
            left=left,
            tenant_shards=LIMITS[job],
        )
        self.model.admit(job, set(left))

    @rule(window=st.integers(1, 4))
    def pick(self, window: int) -> None:
        for picked in self.ledger.pick(window):
            assert self.model.in_flight() < window
            job, shard = picked.item.job, picked.item.shard
            assert self.model.may_fly(job)[0] == shard
            waiting = self.model.pending[job]
            self.model.pending[job] = waiting[waiting.index(shard) + 1 :]
            self.model.publish("synth", picked.item)
        assert self.model.in_flight() >= window or not any(map(self.model.may_fly, JOBS))

    @rule(stage=stages, item=items, owner=owners)
    def begin(self, stage: Stage, item: Item, owner: str) -> None:
        begun = self.ledger.begin(stage, item, "normal", 1.0, owner, 60)
        work = (stage, item)
        is_held = self.model.is_held(stage, item)
        is_old = work not in self.model.care and item.job in self.model.left
        if is_old or (is_held and self.model.care[work].owner != owner):
            assert begun is None
            return
        if not is_held:
            self.model.tries[work] += 1
        self.model.care[work] = Holder(owner, is_alive=True)
        assert begun == Begun(max(1, self.model.tries[work]))

    @rule(stage=stages, item=items, owner=owners)
    def renew(self, stage: Stage, item: Item, owner: str) -> None:
        work = (stage, item)
        is_others = self.model.is_held(stage, item) and self.model.care[work].owner != owner
        is_known = work in self.model.care or item.job not in self.model.left
        assert self.ledger.renew(stage, item, owner, 60) == (is_known and not is_others)
        if is_known and not is_others:
            self.model.care[work] = Holder(owner, is_alive=True)

    @rule(stage=stages, item=items, owner=owners)
    def end(self, stage: Stage, item: Item, owner: str) -> None:
        is_ours = self.model.care.get((stage, item), Holder()).owner == owner
        assert self.ledger.end(stage, item, owner) == is_ours
        if is_ours:
            del self.model.care[stage, item]

    @rule(stage=stages, item=items)
    def refund(self, stage: Stage, item: Item) -> None:
        self.ledger.refund(stage, item)
        self.model.tries[stage, item] = max(0, self.model.tries[stage, item] - 1)

    @rule(item=items)
    def hand_over(self, item: Item) -> None:
        self.ledger.hand_over(item, "normal")
        self.model.care.pop(("synth", item), None)
        self.model.tries.pop(("synth", item), None)
        self.model.publish("check", item)

    @rule(item=items)
    def again(self, item: Item) -> None:
        self.ledger.again(item)
        self.model.care.pop(("check", item), None)
        self.model.tries.pop(("check", item), None)
        self.model.first(item)

    @rule(item=items)
    def done(self, item: Item) -> None:
        self.store[item.job].discard(item.shard)
        self.model.clear(item)
        self.model.remove(item)
        self.model.left.get(item.job, set()).discard(item.shard)
        expected = len(self.model.left[item.job]) if item.job in self.model.left else -1
        assert self.ledger.done(item) == expected

    @rule(stage=stages, item=items)
    def later(self, stage: Stage, item: Item) -> None:
        self.ledger.later(item, stage, 0.0)
        self.model.care.pop((stage, item), None)
        self.model.later.add((stage, item))
        if stage == "synth":
            self.model.remove(item)

    @rule()
    def due(self) -> None:
        due = self.ledger.due()
        ready = {work for work in self.model.later if work[0] == "synth"}
        assert {(each.stage, each.item) for each in due} == self.model.later - ready
        self.model.later -= ready
        for _, item in ready:
            self.model.first(item)
        for job in JOBS:  # of those due at one moment any may be first
            seen = self.ledger.redis.lrange(key("pending", job), 0, -1)
            assert sorted(seen) == sorted(self.model.pending.get(job, []))
            if job in self.model.pending:
                self.model.pending[job] = seen
        for each in due:
            self.queued(each.stage, each.item)

    @rule(stage=stages, item=items)
    def queued(self, stage: Stage, item: Item) -> None:
        self.ledger.queued(stage, item, "normal")
        if stage == "synth" and (stage, item) not in self.model.care:
            self.model.remove(item)
        self.model.publish(stage, item)
        self.model.later.discard((stage, item))

    @precondition(lambda self: any(holder.is_alive for holder in self.model.care.values()))
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        held = sorted((work for work in self.model.care if self.model.is_held(*work)), key=str)
        stage, item = data.draw(st.sampled_from(held))
        owner = self.model.care[stage, item].owner
        self.ledger.redis.zadd(key("leased", stage), {f"{item.job}|{item.shard}": 1.0})
        self.model.care[stage, item] = Holder(owner)

    @rule()
    def rescue(self) -> None:
        time.sleep(0.001)
        found = self.ledger.neglected([("synth", "normal"), ("check", "normal")], 0.0)
        lost = {work for work in self.model.care if not self.model.is_held(*work)}
        assert {(each.stage, each.item) for each in found} == lost
        for each in found:
            self.queued(each.stage, each.item)

    @rule(job=jobs)
    def forget(self, job: JobRef) -> None:
        left = self.model.left.pop(job, set())
        self.ledger.forget(job)
        self.model.pending.pop(job, None)
        for shard in left:
            self.model.clear(Item(job, shard))

    @rule()
    def redis_forgets_everything(self) -> None:
        self.ledger.redis.flushall()
        self.model = Model()

    @invariant()
    def both_know_the_same(self) -> None:
        redis: Any = self.ledger.redis
        for job in JOBS:
            assert redis.lrange(key("pending", job), 0, -1) == self.model.pending.get(job, [])
        for stage in ("synth", "check"):
            known = {f"{item.job}|{item.shard}" for at, item in self.model.care if at == stage}
            assert set(redis.hkeys(key("care", stage))) == known
        n_held = {tenant: self.model.in_flight(tenant) for tenant in ("", "t")}
        seen = {tenant: int(n) for tenant, n in redis.hgetall(key("tenants")).items()}
        assert seen == {tenant: n for tenant, n in n_held.items() if n}

    def teardown(self) -> None:
        """Whatever happened: what the store has no receipt of is in work again."""
        for job in JOBS:
            self.admit(job)
            waiting = set(self.model.pending[job])
            cared = {item.shard for _, item in {*self.model.care, *self.model.later}}
            assert self.store[job] <= waiting | cared


def test_the_ledger_does_what_its_model_does(ledger: Ledger) -> None:
    LedgerMachine.ledger = ledger
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
        ),
    )
