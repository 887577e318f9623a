from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pipeline.manifest.job import Priority
from pipeline.manifest.message import Stage
from pipeline.manifest.ref import JobRef
from workers.ledger import Cared, Item, Ledger, Picked
from workers.ledger.scripts import key

Admit = Callable[..., JobRef]

EMPTY: list[tuple[Stage, Priority]] = [("synth", "normal")]


def begin(ledger: Ledger, picked: Picked, lease_s: float = 60.0) -> None:
    assert ledger.begin("synth", picked.item, "normal", picked.at, "worker", lease_s)


def shards(ledger: Ledger) -> list[str]:
    """Return the shards that are next, in order."""
    return [picked.item.shard for picked in ledger.pick(1000)]


def test_a_lost_message_is_found_when_a_later_one_is_taken(ledger: Ledger, admit: Admit) -> None:
    admit("book", 2)
    (lost,) = ledger.pick(1)
    time.sleep(0.06)
    (_, later) = (lost, *ledger.pick(2))
    assert ledger.neglected([], 0.05) == [], "it may be on its way"
    begin(ledger, later)
    assert ledger.neglected([], 0.05) == [Cared("synth", lost.item, "normal")]
    assert ledger.neglected([], 10.0) == []


def test_a_lost_message_is_found_when_its_queue_is_empty(ledger: Ledger, admit: Admit) -> None:
    admit("book")
    (lost,) = ledger.pick(1)
    time.sleep(0.06)
    assert ledger.neglected([("check", "normal"), ("synth", "high")], 0.05) == []
    assert ledger.neglected(EMPTY, 0.05) == [Cared("synth", lost.item, "normal")]
    assert ledger.neglected(EMPTY, 10.0) == []


def test_what_is_published_again_is_waited_for_again(ledger: Ledger, admit: Admit) -> None:
    admit("book")
    (lost,) = ledger.pick(1)
    time.sleep(0.06)
    ledger.queued("synth", lost.item, "normal")
    assert ledger.neglected(EMPTY, 0.05) == []


def test_work_whose_worker_died_is_found_when_its_lease_runs_out(
    ledger: Ledger, admit: Admit
) -> None:
    admit("book")
    (picked,) = ledger.pick(1)
    begin(ledger, picked, 0.1)
    assert ledger.neglected(EMPTY, 0.0) == []
    time.sleep(0.15)
    assert ledger.neglected([], 60.0) == [Cared("synth", picked.item, "normal")]


def test_a_book_that_is_put_together_is_looked_after_as_well(ledger: Ledger) -> None:
    book = Item(JobRef("acme", "book"), "")
    at = ledger.queued("finalize", book, "high")
    assert ledger.is_cared_for("finalize", book)
    assert ledger.begin("finalize", book, "high", at, "worker", 0.01)
    time.sleep(0.03)
    assert ledger.neglected([], 60.0) == [Cared("finalize", book, "high")]


def test_a_clock_set_back_does_not_make_messages_seem_lost(ledger: Ledger, admit: Admit) -> None:
    admit("book")
    ledger.pick(1)
    ledger.redis.hset(key("mark"), "synth|normal", str(time.time() + 3600))
    assert ledger.neglected([], 0.0) == []


def test_a_message_from_the_future_is_no_measure(ledger: Ledger, admit: Admit) -> None:
    admit("book", 2)
    first, _ = ledger.pick(2)
    assert ledger.begin("synth", first.item, "normal", time.time() + 3600, "worker", 60)
    assert not ledger.redis.hexists(key("mark"), "synth|normal")


def test_what_is_put_off_waits_and_is_then_next_in_line(ledger: Ledger, admit: Admit) -> None:
    admit("book", 4)
    (picked,) = ledger.pick(1)
    begin(ledger, picked)
    ledger.later(picked.item, "synth", 0.1)
    admit("book", 4)
    assert ledger.due() == []
    assert shards(ledger) == ["0001", "0002", "0003"], "not before its time"
    time.sleep(0.15)
    assert ledger.due() == []
    assert shards(ledger) == ["0000"]


@pytest.mark.parametrize("stage", ["check", "finalize"])
def test_other_work_that_was_put_off_is_due_until_it_is_published(
    ledger: Ledger, admit: Admit, stage: Stage
) -> None:
    item = Item(admit("book", priority="low"), "" if stage == "finalize" else "0000")
    ledger.later(item, stage, 0.0)
    assert ledger.is_cared_for(stage, item)
    assert ledger.due() == ledger.due() == [Cared(stage, item, "low")]
    ledger.queued(stage, item, "low")
    assert ledger.due() == []


def test_a_shard_that_wants_another_take_is_next(ledger: Ledger, admit: Admit) -> None:
    admit("book", 4)
    first, second = ledger.pick(2)
    for picked in (first, second):
        begin(ledger, picked)
        ledger.hand_over(picked.item, "normal")
    ledger.again(second.item)
    ledger.again(second.item)
    assert shards(ledger) == ["0001", "0002", "0003"]


def test_the_halves_of_a_shard_are_next(ledger: Ledger, admit: Admit) -> None:
    admit("book", 3)
    (first,) = ledger.pick(1)
    begin(ledger, first)
    ledger.split(first.item, ["0000a", "0000b"])
    ledger.split(first.item, ["0000a", "0000b"])
    assert shards(ledger) == ["0000a", "0000b", "0001", "0002"]
    assert ledger.done(Item(first.item.job, "0000a")) == 3
    assert ledger.done(first.item) == 3, "the whole is no longer one of them"


def test_what_is_left_is_counted_however_often_it_is_told(ledger: Ledger, admit: Admit) -> None:
    job = admit("book", 3)
    assert [ledger.done(Item(job, shard)) for shard in ("0000", "0000", "0001")] == [2, 2, 1]
    assert ledger.done(Item(job, "0002")) == ledger.done(Item(job, "0002")) == 0
    ledger.forget(job)
    assert ledger.done(Item(job, "0002")) == -1


def test_what_the_store_says_is_admitted_as_often_as_one_likes(
    ledger: Ledger, admit: Admit
) -> None:
    job = admit("book", 3)
    (spoken, _) = ledger.pick(2)
    ledger.hand_over(spoken.item, "normal")
    for _ in range(3):
        admit("book", 3)
    assert ledger.knows([job, JobRef("", "another")]) == {job}
    assert shards(ledger) == ["0002"]


def test_shards_that_the_store_has_receipts_of_are_no_longer_done(
    ledger: Ledger, admit: Admit
) -> None:
    job = admit("book", 5)
    ledger.admit(job, weight=4.0, priority="normal", created_s=1, left=["0003", "0001"])
    assert shards(ledger) == ["0001", "0003"]


@pytest.mark.parametrize("n_steps", range(5))
def test_nothing_is_lost_when_redis_forgets_everything(
    ledger: Ledger, admit: Admit, n_steps: int
) -> None:
    job = admit("book", 3)
    (picked,) = ledger.pick(1)
    steps: list[Callable[[], object]] = [
        lambda: begin(ledger, picked),
        lambda: ledger.hand_over(picked.item, "normal"),
        lambda: ledger.begin("check", picked.item, "normal", picked.at, "worker", 60),
        lambda: ledger.again(picked.item),
    ]
    for step in steps[:n_steps]:
        step()
    ledger.redis.flushall()
    assert ledger.knows([job]) == set()
    admit("book", 3)
    assert shards(ledger) == ["0000", "0001", "0002"]


def test_a_job_that_is_forgotten_leaves_nothing_behind(ledger: Ledger, admit: Admit) -> None:
    job = admit("acme:book", 4, tenant_shards=3)
    first, second, third = ledger.pick(3)
    begin(ledger, first)
    begin(ledger, second)
    ledger.hand_over(second.item, "normal")
    ledger.later(third.item, "synth", 60)
    ledger.queued("finalize", Item(job, ""), "normal")
    ledger.forget(job)
    lasting = {key("clock"), key("turns"), key("mark")}
    assert set(ledger.redis.keys("*")) <= lasting


def test_a_thousand_jobs_need_little_memory(ledger: Ledger, admit: Admit) -> None:
    before = ledger.redis.info("memory")["used_memory"]
    for i in range(300):
        admit(f"job-{i:04d}", 100)
    used = ledger.redis.info("memory")["used_memory"] - before
    assert used < 300 * 100 * 40, "bytes a shard"


def test_a_job_of_many_shards_is_admitted_at_once(ledger: Ledger, admit: Admit) -> None:
    job = admit("book", 20_000)
    admit("book", 20_000)
    assert len(shards(ledger)) == 1000
    (slowest_us,) = [
        each["usec"] / each["calls"]
        for name, each in ledger.redis.info("commandstats").items()
        if name == "cmdstat_evalsha"
    ]
    assert slowest_us < 1e6
    ledger.forget(job)
