"""A job looked after: what the store says of it is made true in the ledger and on the queue."""

from __future__ import annotations

import logging
import time

from pipeline import names
from pipeline.errors import CorruptObjectError
from pipeline.jobs import ending, tree
from pipeline.jobs.records import load_request, load_result
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest, Priority
from pipeline.manifest.ref import JobRef
from pipeline.store.protocol import ObjectStore
from workers import metrics, webhooks
from workers.context import Context
from workers.ledger import Item

log = logging.getLogger(__name__)

#: A job of a higher priority has so many times the shards of another in work.
WEIGHTS: dict[Priority, float] = {"high": 16.0, "normal": 4.0, "low": 1.0}


def tend(context: Context, ref: JobRef) -> None:
    """Do what a job needs next; harmless at any time, by any number of processes.

    A job that has ended is closed; one whose deadline has passed is ended; of any other the shards
    that nobody looks after are put in line, and when there are none left it is put together.
    """
    store = tree.home(context.root, ref)
    found = tree.read(store, ref.id)
    try:
        request = load_request(ref.id, store)
    except CorruptObjectError as error:
        log.error("the job %s cannot be read: %s", ref, error)  # noqa: TRY400 - it says all
        return
    if request is None:
        _forget(context, ref)
        return
    if not found.is_ended and _is_late(request, found):
        result = ending.failed(request, f"the deadline {request.body.deadline} has passed")
        ending.decide(ref.id, found.round, result, store)
        found = tree.read(store, ref.id)
    if found.is_ended:
        _close(context, request, found, store)
    else:
        _carry_on(context, request, found)


def _is_late(request: JobRequest, found: JobTree) -> bool:
    """Tell whether the deadline has passed; who retries a job has thought better of it."""
    deadline_s = request.deadline_s
    return deadline_s is not None and not found.rounds and time.time() > deadline_s


def _carry_on(context: Context, request: JobRequest, found: JobTree) -> None:
    ref, priority = request.ref, request.body.priority
    left = found.left()
    context.ledger.admit(
        ref,
        weight=WEIGHTS[priority],
        priority=priority,
        created_s=request.created_s,
        left=left,
        tenant_shards=context.settings.quotas.get(ref.tenant, {}).get("shards"),
    )
    book = Item(ref, "")
    if not left and not context.ledger.is_cared_for("finalize", book):
        context.sender.send("finalize", book, priority)


def _close(context: Context, request: JobRequest, found: JobTree, store: ObjectStore) -> None:
    """Tell who wanted to know, and leave nothing but the result."""
    ref = request.ref
    result = load_result(ref.id, found.round, store)
    assert result, "listed a moment ago"
    context.ledger.forget(ref)
    if request.body.webhook and not webhooks.settle(context, store, request, result, found.round):
        return
    _forget(context, ref)
    metrics.job_ended(result.state)
    if not tree.read(store, ref.id).is_ended:  # retried at this very moment
        context.root.put_new(names.active(str(ref)), b"")


def _forget(context: Context, ref: JobRef) -> None:
    context.ledger.forget(ref)
    context.root.delete(names.active(str(ref)))
