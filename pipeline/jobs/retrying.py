"""What failed, done again: a new round of the same job, with a decision of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import records, tree
from pipeline.jobs.submission import MIN_SHARD, put_all
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest, Round
from pipeline.manifest.shard import PlannedChunk, ShardPlan
from pipeline.run.shards import cut
from pipeline.store.protocol import ObjectStore


def retry(request: JobRequest, root: ObjectStore) -> Round:
    """Begin a round that makes again what was flagged, failed or left undone.

    Passed chunks stay as they are; the others get as many further takes as a job has.

    Raises:
        RequestError: The job has not ended, or is complete.
    """
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    _require_unfinished(request, found, store)
    wanted = {planned.chunk.index: planned for planned in _unsettled(request, found, store)}
    number = found.round + 1
    shards = cut([planned.chunk for planned in wanted.values()], MIN_SHARD)
    put_all(
        [
            _shard(request, f"r{number}-{i:04d}", [wanted[chunk.index] for chunk in shard])
            for i, shard in enumerate(shards)
        ],
        store,
    )
    begun = Round(number=number, created_s=int(time.time()), chunks=tuple(sorted(wanted)))
    store.put_new(names.retry(request.id, number), begun.encode())
    root.put_new(names.active(str(request.ref)), b"")
    return begun


def _shard(request: JobRequest, name: str, chunks: list[PlannedChunk]) -> tuple[str, bytes]:
    return names.shard(request.id, name), ShardPlan(id=name, chunks=tuple(chunks)).encode()


def _require_unfinished(request: JobRequest, found: JobTree, store: ObjectStore) -> None:
    if not found.is_ended:
        raise RequestError(
            f"The job {request.ref} has not ended. Wait for it with: voxmill jobs watch "
            f"{request.ref}"
        )
    result = records.load_result(request.id, found.round, store)
    if result and result.state == "succeeded":
        raise RequestError(f"The job {request.ref} has succeeded: there is nothing to do again.")


def _unsettled(request: JobRequest, found: JobTree, store: ObjectStore) -> Iterator[PlannedChunk]:
    """Yield the chunks whose last receipt is not a pass, and those without one."""
    passed: dict[int, bool] = {}
    for shard in sorted(found.done, key=lambda each: (records.round_of(each), each)):
        receipt = records.load_receipt(request.id, shard, store)
        for chunk in receipt.chunks if receipt else ():
            passed[chunk.index] = passed.get(chunk.index, False) or chunk.outcome == "passed"
    for shard in found.shards:
        if records.round_of(shard) == 0:
            for planned in records.load_shard(request.id, shard, store).chunks:
                if not passed.get(planned.chunk.index, False):
                    yield planned
