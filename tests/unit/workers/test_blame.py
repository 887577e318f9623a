"""When attempts keep dying, the chunk at fault stands alone in the end, and the book goes on."""

from __future__ import annotations

from queued_farm import Farm

from pipeline import names
from pipeline.errors import EngineError, StorageError
from pipeline.jobs.records import load_receipt, load_shard
from workers import blame, metrics


def test_a_shard_that_was_tried_twice_is_halved(farm: Farm) -> None:
    farm.start()
    farm.crash("synth", "0000")
    farm.crash("synth", "0000")
    farm.posted.messages.clear()

    farm.deliver("synth", "0000")

    assert len(farm.attempts) == 2, "the third attempt does not speak"
    assert farm.posted.waiting == [("synth", "0000a"), ("synth", "0000b")]
    assert "0000" in farm.book.tree.splits
    whole = load_shard(farm.ref.id, "0000", farm.book.store).chunks
    halves = [load_shard(farm.ref.id, f"0000{half}", farm.book.store).chunks for half in "ab"]
    assert halves[0] + halves[1] == whole
    assert [each.action for each in farm.failures("0000")] == ["retry", "retry", "split"]


def test_halving_a_shard_again_changes_nothing(farm: Farm) -> None:
    farm.start()
    farm.crash("synth", "0000")
    farm.crash("synth", "0000")
    farm.deliver("synth", "0000")
    farm.posted.messages.clear()

    farm.tend()
    farm.deliver_old("synth", "0000", farm.context.ledger.now())
    farm.posted.dispatch()

    assert ("synth", "0000") not in farm.posted.waiting
    assert sorted(farm.book.tree.left()) == sorted(set(farm.book.tree.left()))
    assert farm.book.tree.left()[:2] == ["0000a", "0000b"]


def test_a_chunk_alone_is_given_up_after_four_tries_and_the_book_goes_on(farm: Farm) -> None:
    farm.start()
    for _ in range(2):
        farm.crash("synth", "0000")
    farm.deliver("synth", "0000")
    for _ in range(blame.MAX_ALONE):
        farm.crash("synth", "0000b")

    farm.deliver("synth", "0000b")
    farm.work_off()

    receipt = load_receipt(farm.ref.id, "0000b", farm.book.store)
    assert receipt
    (chunk,) = receipt.chunks
    assert (chunk.outcome, chunk.n_takes) == ("failed", 0)
    assert chunk.failure == f"tried 4 times; the last time {blame.LOST}"
    result = farm.book.result
    assert result
    assert (result.state, result.n_failed, result.n_flagged) == ("partial", 1, 1)


def test_a_chunk_alone_is_not_given_up_before(farm: Farm) -> None:
    farm.start()
    for _ in range(2):
        farm.crash("synth", "0000")
    farm.deliver("synth", "0000")
    for _ in range(blame.MAX_ALONE - 1):
        farm.crash("synth", "0000b")

    farm.deliver("synth", "0000b")
    farm.work_off()

    assert ("synth", "0000b", blame.MAX_ALONE) in farm.attempts
    assert farm.book.result
    assert farm.book.result.state == "succeeded"


def test_a_chunk_is_given_up_with_what_its_last_attempt_said(farm: Farm) -> None:
    farm.start()
    farm.errors = [EngineError("the pitch is NaN")] * 6
    for _ in range(3):
        farm.deliver("synth", "0000")
    for _ in range(blame.MAX_ALONE + 1):
        farm.deliver("synth", "0000a")

    receipt = load_receipt(farm.ref.id, "0000a", farm.book.store)

    assert receipt
    assert receipt.chunks[0].failure == "tried 4 times; the last time the pitch is NaN"
    assert [each.action for each in farm.failures("0000a")] == ["retry"] * 4 + ["failed"]


def test_trouble_with_the_store_does_not_hide_what_a_chunk_died_of(farm: Farm) -> None:
    farm.start()
    for _ in range(2):
        farm.crash("synth", "0000")
    farm.deliver("synth", "0000")
    farm.errors = [StorageError("the store is away")] * 2
    for _ in range(2):
        farm.deliver("synth", "0000a")
    for _ in range(blame.MAX_ALONE):
        farm.crash("synth", "0000a")
    farm.deliver("synth", "0000a")

    receipt = load_receipt(farm.ref.id, "0000a", farm.book.store)

    assert receipt
    assert receipt.chunks[0].failure == f"tried 4 times; the last time {blame.LOST}"
    actions = [each.action for each in farm.failures("0000a")]
    assert sorted(actions) == ["failed", "later", "later", *["retry"] * 4]


def test_an_attempt_that_could_say_nothing_leaves_a_trace(farm: Farm) -> None:
    farm.start()
    farm.crash("check", "0000")

    farm.deliver("check", "0000")

    (failure,) = farm.failures("0000")
    assert (failure.stage, failure.attempt, failure.kind) == ("check", 1, "Lost")


def test_a_book_that_cannot_be_put_together_ends_after_six_tries(farm: Farm) -> None:
    farm.start()
    farm.book.work()
    farm.tend()
    for _ in range(blame.MAX_FINALIZE - 1):
        farm.crash("finalize")
    farm.errors = [RuntimeError("no end of it")]
    farm.deliver("finalize")
    assert farm.book.result is None

    farm.deliver("finalize")

    result = farm.book.result
    assert result
    assert result.state == "failed"
    assert result.reason == (
        "putting the book together failed: tried 6 times; the last time no end of it"
    )


def test_the_last_receipt_starts_the_finalizer_once(farm: Farm) -> None:
    farm.start()
    shards = farm.book.tree.left()
    for shard in shards:
        farm.deliver("synth", shard)
    farm.posted.messages.clear()

    for n_done, shard in enumerate(shards, 1):
        farm.deliver("check", shard)
        expected = [("finalize", "")] if n_done == len(shards) else []
        assert farm.posted.waiting == expected


def test_one_who_settles_a_shard_second_counts_nothing(farm: Farm) -> None:
    farm.start()
    before = metrics.takes_total._value.get()
    farm.deliver("synth", "0000")

    farm.deliver("check", "0000")
    n_takes = metrics.takes_total._value.get() - before
    farm.deliver("check", "0000")

    assert n_takes == 2
    assert metrics.takes_total._value.get() - before == n_takes
    assert list(farm.book.store.names(f"jobs/{farm.ref.id}/done")) == [
        names.done(farm.ref.id, "0000")
    ]
