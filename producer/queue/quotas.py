"""What a tenant may have at once; looked at when a job is submitted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from pipeline import names
from pipeline.errors import QuotaError, RequestError
from pipeline.jobs import tree
from pipeline.jobs.records import load_request
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store.protocol import ObjectStore

#: Requests read at once.
AT_ONCE = 8


def require(tenant: str, n_chunks: int, root: ObjectStore, settings: Settings) -> None:
    """Refuse a job that would be more than its tenant may have at once.

    Two submitted at the same moment may both pass: this keeps floods out, it does not bill.

    Raises:
        QuotaError: It must wait until others of the tenant have ended.
    """
    quota = settings.quotas.get(tenant, {})
    if "jobs" not in quota and "chunks" not in quota:
        return
    whose = f"the tenant {tenant!r}" if tenant else "this queue"
    active = list(_active(tenant, root))
    if len(active) >= quota.get("jobs", len(active) + 1):
        raise QuotaError(
            f"There are {len(active)} jobs that have not ended, and {whose} may have "
            f"{quota['jobs']}. Submit it again when one has; see: voxmill jobs list"
        )
    if "chunks" not in quota:
        return
    n_active = sum(_chunks(active, root))
    if n_active + n_chunks > quota["chunks"]:
        raise QuotaError(
            f"The job has {n_chunks:,} chunks, {n_active:,} are in jobs that have not ended, and "
            f"{whose} may have {quota['chunks']:,} at once. Submit it again when some are done."
        )


def _active(tenant: str, root: ObjectStore) -> Iterator[JobRef]:
    for name in root.names(names.ACTIVE):
        try:
            ref = JobRef.parse(name.rpartition("/")[2])
        except RequestError:
            continue  # nobody's: not a job
        if ref.tenant == tenant:
            yield ref


def _chunks(refs: list[JobRef], root: ObjectStore) -> Iterator[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for request in pool.map(lambda ref: load_request(ref.id, tree.home(root, ref)), refs):
            yield request.n_chunks if request else 0
