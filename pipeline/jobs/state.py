"""How far a job is, worked out from what there is of it in the store; nothing is asked or written.

Nobody keeps a job's state: it would have to be kept true. What is written once says it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.jobs.records import round_of
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest, Round
from pipeline.manifest.result import Result
from pipeline.manifest.shard import ChunkReceipt, ShardReceipt

State = Literal["queued", "running", "finishing", "succeeded", "partial", "failed", "cancelled"]

STATES: tuple[State, ...] = (
    "queued",
    "running",
    "finishing",
    "succeeded",
    "partial",
    "failed",
    "cancelled",
)
#: States that only a retry leads out of.
ENDED = frozenset[State]({"succeeded", "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Tally:
    """What one receipt amounts to."""

    n_chunks: int
    n_flagged: int
    n_failed: int
    audio_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A job in figures."""

    n_done: int
    n_chunks: int
    n_flagged: int
    n_failed: int
    #: Seconds of audio in what is done.
    audio_s: float


def state_of(found: JobTree, result: Result | None) -> State:
    """Return a job's state.

    Args:
        found: The job's objects.
        result: The decision of the current round, if there is one.
    """
    if result is not None:
        return result.state
    if not found.is_planned:
        return "queued"
    if not found.left():
        return "finishing"
    return "running" if _is_begun(found) else "queued"


def tally(receipt: ShardReceipt) -> Tally:
    """Count what a receipt holds."""
    outcomes = [each.outcome for each in receipt.chunks]
    return Tally(
        n_chunks=len(outcomes),
        n_flagged=outcomes.count("flagged"),
        n_failed=outcomes.count("failed"),
        audio_s=receipt.audio_s,
    )


def progress(
    request: JobRequest, found: JobTree, round_: Round | None, tallies: Mapping[str, Tally]
) -> Progress:
    """Add up how far the current round is; a retry begins with what had passed before.

    Args:
        request: The job.
        found: Its objects.
        round_: What the retry asks for, where the current round is one.
        tallies: Of each receipt, by shard; those that are missing count as not done yet.
    """
    counted = [tallies[shard] for shard in found.leaves() if shard in tallies]
    passed_before = request.n_chunks - len(round_.chunks) if round_ else 0
    n_done = passed_before + sum(each.n_chunks for each in counted)
    return Progress(
        n_done=min(n_done, request.n_chunks),
        n_chunks=request.n_chunks,
        n_flagged=sum(each.n_flagged for each in counted),
        n_failed=sum(each.n_failed for each in counted),
        audio_s=sum(each.audio_s for each in counted),
    )


def share(found: JobTree) -> float:
    """Return how much of the current round is done, 0 … 1, from the names of its objects alone."""
    leaves = list(found.leaves())
    return sum(shard in found.done for shard in leaves) / len(leaves) if leaves else 1.0


def latest(receipts: Iterable[ShardReceipt]) -> dict[int, tuple[str, ChunkReceipt]]:
    """Return the word that counts on each chunk by its index, and which shard it comes from.

    A later round's counts, unless it could make nothing where another could.
    """
    found: dict[int, tuple[str, ChunkReceipt]] = {}
    for receipt in sorted(receipts, key=lambda each: (round_of(each.shard), each.shard)):
        for chunk in receipt.chunks:
            if chunk.failure is None or chunk.index not in found:
                found[chunk.index] = (receipt.shard, chunk)
    return found


def _is_begun(found: JobTree) -> bool:
    """Tell whether anything is known of work on the current round."""
    is_done = any(round_of(shard) == found.round for shard in found.done)
    return is_done or any(round_of(each.shard) == found.round for each in found.failures)
