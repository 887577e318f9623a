"""How a job ends: one conditional write, which whoever comes first makes."""

from __future__ import annotations

import time

from pipeline import names
from pipeline.errors import CorruptObjectError
from pipeline.jobs.records import load_result
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.store.protocol import ObjectStore


def decide(job_id: str, number: int, result: Result, store: ObjectStore) -> Result:
    """Write the decision of a round unless there is one, and return the one that stands.

    Cancelling, expiring and finishing all race for this one name, so that they can never
    contradict one another.
    """
    if store.put_new(names.round_result(job_id, number), result.encode()):
        return result
    standing = load_result(job_id, number, store)
    if standing is None:
        raise CorruptObjectError(
            f"{store.place(names.round_result(job_id, number))} was there and is gone. Check the "
            "store with: voxmill store check"
        )
    return standing


def is_decided(job_id: str, number: int, store: ObjectStore) -> bool:
    """Tell whether a round has ended."""
    return store.exists(names.round_result(job_id, number))


def cancelled(request: JobRequest, reason: str = "cancelled by its owner") -> Result:
    """Return the decision to stop."""
    return _without_files(request, "cancelled", reason)


def failed(request: JobRequest, reason: str) -> Result:
    """Return the decision that there is nothing to deliver."""
    return _without_files(request, "failed", reason)


def _without_files(request: JobRequest, state: str, reason: str) -> Result:
    return Result.model_validate(
        {
            "state": state,
            "outputs": (),
            "n_chunks": request.n_chunks,
            "n_flagged": 0,
            "duration_s": 0.0,
            "reason": reason,
            "finished_s": time.time(),
        }
    )
