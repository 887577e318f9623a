"""What is stored of a job, read back.

Each may raise `CorruptObjectError`, and `MismatchError` where a newer release of Voxmill wrote it:
that is left to workers of that release.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

from pipeline import names
from pipeline.errors import CorruptObjectError, MismatchError
from pipeline.manifest.base import Record
from pipeline.manifest.job import JobRequest, Round
from pipeline.manifest.plan import Plan
from pipeline.manifest.result import Result
from pipeline.manifest.shard import Failure, ShardPlan, ShardReceipt
from pipeline.run.recipe import Recipe, recipe_of
from pipeline.store.protocol import ObjectStore

R = TypeVar("R", bound=Record)

#: A shard's id: as planned, and which half of which half.
_HALVES = re.compile(r"(.*\d)([ab]*)")


def load_request(job_id: str, store: ObjectStore) -> JobRequest | None:
    """Return a job's request, or None where there is no such job."""
    data = store.get(names.request(job_id))
    return None if data is None else _read(JobRequest, data)


def load_plan(job_id: str, store: ObjectStore) -> Plan:
    """Return a job's plan.

    Raises:
        CorruptObjectError: It is missing.
    """
    return _read(Plan, _required(names.plan(job_id), store))


def load_shard(job_id: str, shard: str, store: ObjectStore) -> ShardPlan:
    """Return a shard, a half of one too.

    Raises:
        CorruptObjectError: It is missing.
    """
    match = _HALVES.fullmatch(shard)
    assert match, f"not a shard's id: {shard}"
    return _read(ShardPlan, _required(names.shard(job_id, match[1]), store)).half(match[2])


def load_receipt(job_id: str, shard: str, store: ObjectStore) -> ShardReceipt | None:
    """Return a shard's receipt, or None while it has none."""
    data = store.get(names.done(job_id, shard))
    return None if data is None else _read(ShardReceipt, data)


def load_failure(name: str, store: ObjectStore) -> Failure | None:
    """Return what is known of an attempt that came to nothing."""
    data = store.get(name)
    return None if data is None else _read(Failure, data)


def load_result(job_id: str, number: int, store: ObjectStore) -> Result | None:
    """Return the decision of a round, or None while there is none."""
    data = store.get(names.round_result(job_id, number))
    return None if data is None else _read(Result, data)


def load_round(job_id: str, number: int, store: ObjectStore) -> Round | None:
    """Return what a retry asks for."""
    data = store.get(names.retry(job_id, number))
    return None if data is None else _read(Round, data)


def round_of(shard: str) -> int:
    """Return the number of the round that a shard belongs to: "r2-0001" is of the second retry."""
    return int(shard[1:].partition("-")[0]) if shard.startswith("r") else 0


def recipe(request: JobRequest, number: int) -> Recipe:
    """Return how chunks are made in a round: each retry allows as many takes again."""
    return recipe_of(request.body.render, request.sample_rate_hz, n_rounds=number + 1)


def _read(kind: type[R], data: bytes) -> R:
    try:
        return kind.decode(data)
    except CorruptObjectError as error:
        if _version(data) <= kind.model_fields["version"].default:
            raise
        raise MismatchError(
            f"A newer release of Voxmill wrote this {kind.__name__}. Update this one."
        ) from error


def _version(data: bytes) -> int:
    """Return the version of a record that cannot be read, 0 where it names none."""
    try:
        return int(json.loads(data)["version"])
    except (ValueError, TypeError, KeyError):
        return 0


def _required(name: str, store: ObjectStore) -> bytes:
    data = store.get(name)
    if data is None:
        raise CorruptObjectError(
            f"{store.place(name)} is missing. Remove the job with `voxmill jobs rm` and submit it "
            "again."
        )
    return data
