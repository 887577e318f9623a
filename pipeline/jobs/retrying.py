"""What failed, done again: a new round of the same job, with a decision of its own."""

from __future__ import annotations

import time

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import again, records, tree
from pipeline.jobs.gathering import receipts
from pipeline.jobs.state import latest
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest, Round
from pipeline.store.protocol import ObjectStore


def retry(request: JobRequest, root: ObjectStore) -> Round:
    """Begin a round that makes again what was flagged, failed or left undone.

    Passed chunks stay as they are; the others get as many further takes as a job has. A job that
    failed although its chunks are good is put together again. Of several who ask at the same time
    all begin the same round.

    Raises:
        RequestError: The job has not ended, or is complete.
    """
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    _require_unfinished(request, found, store)
    told = latest(receipts(request.id, found, store))
    passed = {index for index, (_, chunk) in told.items() if chunk.outcome == "passed"}
    known = again.planned(request.id, found, store)
    wanted = [each for index, each in sorted(known.items()) if index not in passed]
    number = found.round + 1
    again.write_shards(request.id, number, 0, wanted, store)
    begun = _begun(request, number, tuple(each.chunk.index for each in wanted), store)
    root.put_new(names.active(str(request.ref)), b"")
    return begun


def _begun(request: JobRequest, number: int, chunks: tuple[int, ...], store: ObjectStore) -> Round:
    """Begin a round, or return it as another has begun it."""
    begun = Round(number=number, created_s=int(time.time()), chunks=chunks)
    if store.put_new(names.retry(request.id, number), begun.encode()):
        return begun
    return records.load_round(request.id, number, store) or begun


def _require_unfinished(request: JobRequest, found: JobTree, store: ObjectStore) -> None:
    if not found.is_ended:
        raise RequestError(
            f"The job {request.ref} has not ended. Wait for it with: voxmill jobs watch "
            f"{request.ref}"
        )
    result = records.load_result(request.id, found.round, store)
    if result and result.state == "succeeded":
        raise RequestError(f"The job {request.ref} has succeeded: there is nothing to do again.")
