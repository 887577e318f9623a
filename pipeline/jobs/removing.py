"""A job removed: all that is only its own. Takes stay, since other jobs may use them."""

from __future__ import annotations

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import tree
from pipeline.manifest.job import JobRequest
from pipeline.store.protocol import ObjectStore


def remove(request: JobRequest, root: ObjectStore, output: ObjectStore | None) -> None:
    """Remove a job that has ended.

    Args:
        request: The job.
        root: The queue's store.
        output: Where its files were delivered, to remove them too; None leaves them.

    Raises:
        RequestError: It has not ended.
    """
    store = tree.home(root, request.ref)
    if not tree.read(store, request.id).is_ended:
        raise RequestError(
            f"The job {request.ref} has not ended. Stop it first with: voxmill jobs cancel "
            f"{request.ref}"
        )
    if output:
        output.delete_all(request.id)
    root.delete(names.active(str(request.ref)))
    store.delete(names.indexed(request.id, request.created_s))
    store.delete_all(names.job(request.id))
