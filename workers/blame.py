"""When attempts keep dying: the shard is halved until the chunk at fault stands alone.

An attempt is counted before it runs, so that one which kills its process counts too. What is not
the chunk's fault (no store, no memory on the disk, other software) is not counted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipeline import names
from pipeline.jobs import ending, steps
from pipeline.manifest.shard import ChunkReceipt, ShardReceipt
from workers import metrics
from workers.ledger import Item

if TYPE_CHECKING:
    from workers.attempt import Attempt

#: Attempts at a shard before it is halved, …
MAX_SHARED = 2
#: … at a chunk alone before it is given up …
MAX_ALONE = 4
#: … and at putting a book together before its job has failed.
MAX_FINALIZE = 6


def settled(attempt: Attempt) -> bool:
    """Divide or give up what has been tried often enough; False while it may be tried again."""
    if attempt.number > 1:
        _record_loss(attempt)
    if attempt.stage == "finalize":
        if attempt.number <= MAX_FINALIZE:
            return False
        end_job(attempt, f"putting the book together failed: {_reason(attempt)}")
        return True
    n_chunks = len(attempt.shard.chunks)
    if attempt.number <= (MAX_ALONE if n_chunks == 1 else MAX_SHARED):
        return False
    if n_chunks > 1:
        _halve(attempt)
    else:
        _give_up(attempt)
    return True


def end_job(attempt: Attempt, reason: str) -> None:
    """Decide that the job has failed."""
    attempt.fail("Ended", reason, "failed")
    result = ending.failed(attempt.request, reason)
    ending.decide(attempt.request.id, attempt.round, result, attempt.store)


def settle(attempt: Attempt, chunks: tuple[ChunkReceipt, ...]) -> None:
    """Write a shard's receipt; after the last one the book is put together."""
    receipt = ShardReceipt(
        shard=attempt.item.shard,
        chunks=chunks,
        worker=attempt.context.worker,
        finished_s=time.time(),
    )
    is_ours = attempt.store.put_new(names.done(attempt.request.id, receipt.shard), receipt.encode())
    if is_ours:
        for chunk in receipt.chunks:
            metrics.chunk_settled(chunk.outcome, chunk.n_takes)
    announce(attempt)


def announce(attempt: Attempt) -> None:
    """Note in the ledger that a shard has its receipt; after the last one, finish the book."""
    if attempt.context.ledger.done(attempt.item) == 0:
        book = Item(attempt.item.job, "")
        attempt.context.sender.send("finalize", book, attempt.message.priority)


def _halve(attempt: Attempt) -> None:
    shard = attempt.item.shard
    attempt.fail("Lost", _reason(attempt), "split")
    attempt.store.put_new(names.split(attempt.request.id, shard), b"")
    attempt.context.ledger.split(attempt.item, [f"{shard}a", f"{shard}b"])
    attempt.context.sender.dispatch()


def _give_up(attempt: Attempt) -> None:
    """Settle the chunk that stands alone, with the reason."""
    (planned,) = attempt.shard.chunks
    reason = _reason(attempt)
    attempt.fail("Lost", reason, "failed")
    given_up = steps.give_up(planned.chunk, reason, attempt.recipe, attempt.store)
    settle(attempt, (given_up,))


def _record_loss(attempt: Attempt) -> None:
    """Leave a trace of the attempt before this one, if it could leave none itself."""
    if len(attempt.counted()) < attempt.number - 1:
        metrics.retried(attempt.stage, "Lost")
        attempt.fail("Lost", LOST, "retry", number=attempt.number - 1)


#: What is known of a process that could not say.
LOST = "the process died, was killed or took too long"


def _reason(attempt: Attempt) -> str:
    """Return what is known of the last attempt, for people."""
    known = attempt.counted()
    last = known[-1].detail if known else LOST
    return f"tried {attempt.number - 1} times; the last time {last}"
