"""A job removed: all that is only its own. Takes stay, since other jobs may use them."""

from __future__ import annotations

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import delivery, records, tree
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.store.protocol import ObjectStore


def remove(request: JobRequest, root: ObjectStore, output: ObjectStore | None) -> None:
    """Remove a job that has ended, or whose submission or removal was cut short.

    Args:
        request: The job.
        root: The queue's store.
        output: Where its files were delivered, to remove them too; None leaves them.

    Raises:
        RequestError: It has not ended.
    """
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    note = names.active(str(request.ref))
    if not found.is_ended and root.exists(note):
        raise RequestError(
            f"The job {request.ref} has not ended. Stop it first with: voxmill jobs cancel "
            f"{request.ref}"
        )
    if output:
        _remove_outputs(request, found, store, output)
    root.delete(note)
    store.delete(names.indexed(request.id, request.created_s))
    _remove_objects(request.id, store)


def _remove_outputs(
    request: JobRequest, found: JobTree, store: ObjectStore, output: ObjectStore
) -> None:
    """Remove the edition of each round; other tenants may have jobs of this id in this place."""
    for number in found.results:
        result = records.load_result(request.id, number, store)
        if result and result.location:
            output.delete_all(delivery.prefix_of(result.location, request))
    if next(output.names(request.id), None) is None:
        output.delete_all(request.id)  # a folder stays behind otherwise


def _remove_objects(job_id: str, store: ObjectStore) -> None:
    """Remove the request last: while it is there, whoever is cut short can begin again."""
    prefix = names.job(job_id)
    for folder in store.folders(prefix):
        store.delete_all(f"{prefix}/{folder}")
    for name in list(store.names(prefix)):
        if name != names.request(job_id):
            store.delete(name)
    store.delete_all(prefix)
