"""A job looked after: what the store says of it is made true in the ledger and on the queue."""

from __future__ import annotations

import time

import pytest
from queued_farm import Farm

from pipeline import names
from pipeline.errors import MismatchError
from pipeline.jobs import ending
from workers import tending
from workers.ledger import observing


def pending(farm: Farm) -> dict[str, int]:
    return {str(job): n for job, n in observing.snapshot(farm.context.ledger).pending.items()}


def change(farm: Farm, **changes: object) -> None:
    """Write the job's request anew."""
    request = farm.book.request.model_copy(update=changes)
    farm.book.store.put(names.request(farm.ref.id), request.encode())


def is_active(farm: Farm) -> bool:
    return farm.context.root.exists(names.active(str(farm.ref)))


def test_a_new_job_is_put_in_line_once(farm: Farm) -> None:
    n_shards = len(farm.book.tree.left())

    farm.tend()
    farm.tend()

    assert pending(farm) == {str(farm.ref): n_shards}
    assert not farm.posted.messages, "whose turn it is decides the ledger"


def test_what_somebody_looks_after_is_not_put_in_line_again(farm: Farm) -> None:
    farm.start()
    farm.deliver("synth", "0000")

    farm.tend()

    assert pending(farm) == {str(farm.ref): 0}


def test_after_redis_forgot_everything_the_job_goes_on_where_it_was(farm: Farm) -> None:
    farm.start()
    farm.book.work(["0000"])
    farm.context.ledger.redis.flushall()
    farm.posted.messages.clear()

    farm.start()
    farm.work_off()

    assert ("synth", "0000", 1) not in farm.attempts
    assert farm.book.result
    assert farm.book.result.state == "succeeded"


def test_a_job_with_every_receipt_is_put_together_by_one(farm: Farm) -> None:
    farm.book.work()

    farm.tend()
    farm.tend()

    assert farm.posted.waiting == [("finalize", "")]


def test_a_job_that_has_ended_is_closed(farm: Farm) -> None:
    farm.start()
    ending.decide(farm.ref.id, 0, ending.cancelled(farm.book.request), farm.book.store)

    farm.tend()

    assert not is_active(farm)
    assert pending(farm) == {}


def test_a_note_of_a_job_that_was_removed_is_removed_too(farm: Farm) -> None:
    farm.start()
    farm.book.store.delete_all(names.job(farm.ref.id))

    farm.tend()

    assert not is_active(farm)
    assert pending(farm) == {}


def test_a_job_whose_deadline_has_passed_ends_whatever_is_done(farm: Farm) -> None:
    body = farm.book.request.body.model_copy(update={"deadline": "2h"})
    change(farm, body=body, deadline_s=int(time.time()) - 1)

    farm.tend()

    assert farm.book.result
    assert (farm.book.result.state, farm.book.result.reason) == (
        "failed",
        "the deadline 2h has passed",
    )
    assert not is_active(farm)


def test_a_job_whose_deadline_is_to_come_goes_on(farm: Farm) -> None:
    change(farm, deadline_s=int(time.time()) + 60)

    farm.tend()

    assert farm.book.result is None
    assert pending(farm)[str(farm.ref)] > 0


def test_a_deadline_does_not_change_what_was_decided(farm: Farm) -> None:
    change(farm, deadline_s=int(time.time()) - 1)
    ending.decide(farm.ref.id, 0, ending.cancelled(farm.book.request), farm.book.store)

    farm.tend()

    assert farm.book.result
    assert farm.book.result.state == "cancelled"


def test_a_job_that_a_newer_release_wrote_is_left_to_it(farm: Farm) -> None:
    name = names.request(farm.ref.id)
    data = farm.book.store.get(name)
    assert data
    farm.book.store.put(
        name, data.replace(b'"version":1', b'"version":2').replace(b'"version": 1', b'"version": 2')
    )

    with pytest.raises(MismatchError, match="newer release of Voxmill wrote this JobRequest"):
        farm.tend()

    assert is_active(farm)
    assert not farm.book.tree.is_ended
    assert pending(farm) == {}


def test_a_job_that_cannot_be_read_is_left_alone(
    farm: Farm, caplog: pytest.LogCaptureFixture
) -> None:
    farm.book.store.put(names.request(farm.ref.id), b"{")

    farm.tend()

    assert is_active(farm)
    assert f"the job {farm.ref} cannot be read" in caplog.text


def test_a_job_that_is_retried_while_it_is_closed_is_not_forgotten(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending.decide(farm.ref.id, 0, ending.cancelled(farm.book.request), farm.book.store)
    forget = tending._forget

    def retried(*job: object) -> None:
        forget(*job)  # type: ignore[arg-type]
        farm.book.store.put_new(names.retry(farm.ref.id, 1), b"{}")

    monkeypatch.setattr(tending, "_forget", retried)

    farm.tend()

    assert is_active(farm)
