"""What is done to jobs: cancelled, done again, removed."""

from __future__ import annotations

from pipeline.jobs import ending, removing, retrying, tree
from pipeline.jobs.state import State
from pipeline.manifest.job import JobRequest, Round
from pipeline.manifest.result import Result
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from producer.queue import hint, looking


def cancel(request: JobRequest, root: ObjectStore, settings: Settings) -> Result:
    """End a job now, and return the decision that stands: of one that had ended, how it did."""
    seen = looking.look(request, root)
    if seen.result:
        return seen.result
    store = tree.home(root, request.ref)
    result = ending.decide(request.id, seen.found.round, ending.cancelled(request), store)
    hint.send(settings, request.ref)
    return result


def retry(request: JobRequest, root: ObjectStore, settings: Settings) -> Round:
    """Begin a round that makes again what did not pass.

    Raises:
        RequestError: The job has not ended, or is complete.
    """
    begun = retrying.retry(request, root)
    hint.send(settings, request.ref)
    return begun


def remove(
    request: JobRequest,
    root: ObjectStore,
    settings: Settings,
    *,
    with_outputs: bool,
    by_force: bool,
) -> State:
    """Remove a job; return how it had ended.

    Args:
        request: The job.
        root: The queue's store.
        settings: Of this machine.
        with_outputs: Remove its finished files too.
        by_force: Cancel it if it has not ended.

    Raises:
        RequestError: It has not ended, and is not to be cancelled.
    """
    if by_force:
        cancel(request, root, settings)
    state = looking.look(request, root).state
    output = open_store(request.body.output, settings) if with_outputs else None
    removing.remove(request, root, output)
    if by_force:
        hint.send(settings, request.ref)  # so that nothing of it is left waiting
    return state
