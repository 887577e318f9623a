"""One attempt at a piece of work: leased, counted, and its end recorded, whatever it is."""

from __future__ import annotations

import pytest
from queued_farm import Farm

from pipeline import names
from pipeline.errors import (
    EngineError,
    MismatchError,
    ModelError,
    StorageError,
    StoreUnavailableError,
)
from pipeline.jobs import ending
from pipeline.store.local import LocalStore
from workers import attempt
from workers.lease import LostLeaseError


def test_a_job_goes_through_all_stages_and_is_finished_once(farm: Farm) -> None:
    farm.start()

    farm.work_off()

    assert farm.book.result
    assert farm.book.result.state == "succeeded"
    assert [each for each in farm.attempts if each[0] == "finalize"] == [("finalize", "", 1)]
    assert {number for _, _, number in farm.attempts} == {1}
    assert not list(farm.context.root.names(names.ACTIVE))
    assert not farm.context.ledger.redis.keys("voxmill:1:left:*")


def test_a_refusal_is_not_counted_and_put_off_longer_each_time(farm: Farm) -> None:
    farm.start()
    farm.errors = [StoreUnavailableError("S3 keeps silent"), MismatchError("another engine")] * 5
    delays_s = []

    for _ in range(10):
        farm.deliver("synth", "0000")
        delays_s.append(farm.put_off_s("synth", "0000"))

    assert farm.attempts == [("synth", "0000", 1)] * 10
    assert delays_s == pytest.approx([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60], abs=0.4)
    assert [each.kind for each in farm.failures("0000")][:2] == [
        "StoreUnavailableError",
        "MismatchError",
    ]
    assert farm.failures("0000")[0].detail == "S3 keeps silent"


def test_trouble_that_may_pass_never_ends_a_job(farm: Farm) -> None:
    farm.start()
    farm.errors = [MismatchError("another engine")] * (2 * attempt.MAX_REFUSALS)

    for _ in range(2 * attempt.MAX_REFUSALS):
        farm.deliver("synth", "0000")

    assert farm.book.result is None
    farm.deliver("synth", "0000")
    assert ("check", "0000") in farm.posted.waiting


@pytest.mark.parametrize("error", [ModelError("no such model"), StorageError("the disk is full")])
def test_a_worker_that_refuses_for_good_reason_ends_the_job_in_the_end(
    error: Exception, farm: Farm
) -> None:
    farm.start()
    farm.errors = [error] * attempt.MAX_REFUSALS

    for number in range(attempt.MAX_REFUSALS):
        assert farm.book.result is None, number
        farm.deliver("synth", "0000")

    result = farm.book.result
    assert result
    assert (result.state, result.reason) == ("failed", str(error))
    assert {number for _, _, number in farm.attempts} == {1}


@pytest.mark.parametrize("error", [EngineError("NaN"), ZeroDivisionError("odd")])
def test_what_is_the_chunks_fault_counts(error: Exception, farm: Farm) -> None:
    farm.start()
    farm.errors = [error, error]

    farm.deliver("synth", "0000")
    farm.deliver("synth", "0000")

    assert farm.attempts == [("synth", "0000", 1), ("synth", "0000", 2)]
    assert [(each.attempt, each.kind) for each in farm.failures("0000")] == [
        (1, type(error).__name__),
        (2, type(error).__name__),
    ]


def test_nobody_begins_what_another_is_at(farm: Farm) -> None:
    farm.start()
    ledger = farm.context.ledger
    assert ledger.begin("synth", farm.item("0000"), "normal", ledger.now(), "another", 60.0)

    farm.deliver("synth", "0000")

    assert not farm.attempts
    assert ledger.renew("synth", farm.item("0000"), "another", 60.0)


def test_whoever_has_lost_a_lease_leaves_the_work_to_others(farm: Farm) -> None:
    farm.start()
    farm.errors = [LostLeaseError("The lease was lost.")]

    farm.deliver("synth", "0000")

    assert not farm.failures("0000")
    assert farm.context.ledger.is_cared_for("synth", farm.item("0000")), "others hold it"


def test_a_message_of_a_job_that_was_cancelled_does_nothing(farm: Farm) -> None:
    farm.start()
    ending.decide(farm.ref.id, 0, ending.cancelled(farm.book.request), farm.book.store)

    farm.work_off()

    assert not farm.attempts
    assert not list(farm.book.store.names("chunks"))


def test_a_message_of_a_job_that_was_removed_does_nothing(farm: Farm) -> None:
    farm.start()
    farm.book.store.delete_all(names.job(farm.ref.id))

    farm.work_off()

    assert not farm.attempts
    assert not list(farm.book.store.names("jobs")), "not even a trace of a failure"
    assert not farm.context.ledger.is_cared_for("synth", farm.item("0000"))


def test_an_old_message_of_a_settled_shard_is_only_noted(farm: Farm) -> None:
    farm.start()
    farm.posted.messages.clear()
    shards = farm.book.tree.left()
    farm.book.work()

    for shard in shards:
        farm.deliver("synth", shard)

    assert not farm.attempts
    assert farm.posted.waiting == [("finalize", "")]


def test_a_store_that_takes_no_note_either_is_waited_for(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.start()
    farm.errors = [StoreUnavailableError("S3 keeps silent")]

    def unavailable(*_: object) -> bool:
        raise StoreUnavailableError("S3 keeps silent")

    monkeypatch.setattr(LocalStore, "put_new", unavailable)
    farm.deliver("synth", "0000")

    assert farm.put_off_s("synth", "0000") == pytest.approx(4, abs=0.4)


def test_a_shard_that_a_newer_release_wrote_is_left_to_its_workers(farm: Farm) -> None:
    farm.start()
    name = names.shard(farm.ref.id, "0000")
    data = farm.book.store.get(name)
    assert data
    farm.book.store.put(
        name, data.replace(b'"version": 1', b'"version": 2').replace(b'"version":1', b'"version":2')
    )

    for _ in range(attempt.MAX_REFUSALS + 1):
        farm.deliver("synth", "0000")

    assert farm.book.result is None
    assert "newer release of Voxmill wrote this ShardPlan" in farm.failures("0000")[0].detail
    assert farm.put_off_s("synth", "0000") > 50


@pytest.mark.parametrize("data", [b"", b"{", b'{"version": 1, "id": 7}'])
def test_a_job_that_cannot_be_read_is_left_alone(data: bytes, farm: Farm) -> None:
    farm.start()
    farm.book.store.put(names.request(farm.ref.id), data)

    for _ in range(attempt.MAX_REFUSALS + 1):
        farm.deliver("synth", "0000")

    assert not farm.attempts
    assert not farm.book.tree.is_ended
