from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pipeline.manifest.ref import JobRef
from workers.ledger import Begun, Item, Ledger, Picked

LEASE_S = 60.0


@pytest.fixture
def picked(ledger: Ledger, admit: Callable[..., JobRef]) -> Picked:
    """The one shard of a job, published to be spoken."""
    admit("book")
    (picked,) = ledger.pick(8)
    return picked


def begin(ledger: Ledger, picked: Picked, owner: str, lease_s: float = LEASE_S) -> Begun | None:
    return ledger.begin("synth", picked.item, picked.priority, picked.at, owner, lease_s)


def test_a_lease_keeps_others_out_until_it_is_given_back(ledger: Ledger, picked: Picked) -> None:
    assert begin(ledger, picked, "one") == Begun(1)
    assert begin(ledger, picked, "two") is None
    assert ledger.end("synth", picked.item, "one")
    ledger.queued("synth", picked.item, "normal")
    assert begin(ledger, picked, "two") == Begun(2)


def test_a_lease_is_lost_when_it_is_not_renewed(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "slow", 0.05)
    time.sleep(0.1)
    assert begin(ledger, picked, "quick") == Begun(2)
    assert not ledger.renew("synth", picked.item, "slow", LEASE_S)
    assert not ledger.end("synth", picked.item, "slow")
    assert ledger.renew("synth", picked.item, "quick", LEASE_S)


def test_a_lease_that_is_renewed_outlives_its_first_term(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one", 0.3)
    for _ in range(5):
        time.sleep(0.1)
        assert ledger.renew("synth", picked.item, "one", 0.3)
    assert begin(ledger, picked, "two") is None


def test_a_lease_that_nobody_took_over_is_taken_back(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one", 0.05)
    time.sleep(0.1)
    assert ledger.renew("synth", picked.item, "one", LEASE_S)
    assert begin(ledger, picked, "two") is None


def test_a_lease_that_redis_has_forgotten_is_taken_back(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one")
    ledger.redis.flushall()
    assert ledger.renew("synth", picked.item, "one", LEASE_S)
    assert begin(ledger, picked, "two") is None


def test_a_lease_on_what_is_settled_is_not_taken_back(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one")
    ledger.done(picked.item)
    assert not ledger.renew("synth", picked.item, "one", LEASE_S)


def test_publishing_again_leaves_the_lease_to_its_holder(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one")
    ledger.queued("synth", picked.item, "normal")
    assert begin(ledger, picked, "two") is None
    assert ledger.end("synth", picked.item, "one")


def test_of_many_who_begin_at_once_one_wins(ledger: Ledger, admit: Callable[..., JobRef]) -> None:
    admit("book", 20)
    for picked in ledger.pick(20):
        together = Barrier(10)

        def race(n: int, picked: Picked = picked, together: Barrier = together) -> Begun | None:
            together.wait()
            return begin(ledger, picked, f"worker-{n}")

        with ThreadPoolExecutor(10) as threads:
            begun = [each for each in threads.map(race, range(10)) if each]
        assert begun == [Begun(1)]


def test_attempts_are_counted_even_if_their_processes_die(ledger: Ledger, picked: Picked) -> None:
    for n in range(1, 5):
        assert begin(ledger, picked, f"dies-{n}", 0.01) == Begun(n)
        time.sleep(0.03)


def test_an_attempt_that_is_refunded_was_none(ledger: Ledger, picked: Picked) -> None:
    begin(ledger, picked, "one", 0.01)
    ledger.refund("synth", picked.item)
    time.sleep(0.03)
    assert begin(ledger, picked, "two") == Begun(1)


def test_asking_again_after_a_lost_answer_is_the_same_attempt(
    ledger: Ledger, picked: Picked
) -> None:
    assert begin(ledger, picked, "one") == begin(ledger, picked, "one") == Begun(1)


def test_each_stage_and_each_take_counts_its_own_attempts(ledger: Ledger, picked: Picked) -> None:
    item = picked.item
    begin(ledger, picked, "one")
    at = ledger.hand_over(item, "normal")
    assert ledger.begin("check", item, "normal", at, "two", LEASE_S) == Begun(1)
    ledger.again(item)
    (again,) = ledger.pick(8)
    assert again.item == item
    assert begin(ledger, again, "three") == Begun(1)


def test_an_old_message_is_refused(ledger: Ledger, picked: Picked) -> None:
    item = picked.item
    begin(ledger, picked, "one")
    at = ledger.hand_over(item, "normal")
    assert begin(ledger, picked, "two") is None, "it is spoken"
    ledger.begin("check", item, "normal", at, "two", LEASE_S)
    ledger.done(item)
    assert begin(ledger, picked, "three") is None, "it is settled"
    assert ledger.begin("check", item, "normal", at, "three", LEASE_S) is None


def test_work_on_a_job_that_redis_does_not_know_may_begin(ledger: Ledger) -> None:
    item = Item(JobRef("acme", "book"), "0007")
    assert ledger.begin("synth", item, "high", 1.0, "one", LEASE_S) == Begun(1)
    assert ledger.begin("synth", item, "high", 1.0, "two", LEASE_S) is None


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_a_clock_an_hour_off_changes_nothing(
    ledger: Ledger, picked: Picked, monkeypatch: pytest.MonkeyPatch, ahead_s: int
) -> None:
    begin(ledger, picked, "one")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead_s)
    assert begin(ledger, picked, "two") is None
    assert ledger.neglected([("synth", "normal")], 0.0) == []
    assert abs(ledger.queued("check", picked.item, "normal") - real()) < 10


def test_a_turn_is_one_processs_until_its_time_is_over(ledger: Ledger) -> None:
    assert ledger.turn("sweep", "one", 0.1)
    assert ledger.turn("sweep", "one", 0.1)
    assert not ledger.turn("sweep", "two", 0.1)
    assert ledger.turn("another", "two", 0.1)
    time.sleep(0.15)
    assert ledger.turn("sweep", "two", 0.1)


def test_workers_are_believed_for_a_while(ledger: Ledger) -> None:
    ledger.here("gpu-1", ["synth", "check"], 60)
    ledger.here("cpu-1", ["finalize"], 60)
    ledger.here("dies", ["synth"], 0.05)
    assert ledger.n_workers("synth") == 2
    time.sleep(0.1)
    assert ledger.workers() == {"cpu-1": ("finalize",), "gpu-1": ("synth", "check")}
    assert ledger.n_workers("synth") == 1
    ledger.gone("gpu-1")
    assert list(ledger.workers()) == ["cpu-1"]
