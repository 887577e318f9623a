"""Jobs looked up: one by its id, the newest ones, one in all its detail."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import state, tree
from pipeline.jobs.records import (
    load_failure,
    load_receipt,
    load_request,
    load_result,
    load_round,
    load_shard,
)
from pipeline.jobs.state import Progress, State
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.plan import Chunk
from pipeline.manifest.ref import JobRef
from pipeline.manifest.result import Result
from pipeline.manifest.shard import ChunkReceipt, Failure, ShardReceipt
from pipeline.store.protocol import ObjectStore

#: Objects read at once.
AT_ONCE = 16
#: Jobs that a wrong id may have meant.
MAX_NEAR = 3
#: Digits of the seconds, and a hyphen, before a job's id in the list of jobs.
_SECONDS_CHARS = 11

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Seen:
    """A job, and how far it is."""

    request: JobRequest
    found: JobTree
    state: State
    result: Result | None

    @property
    def share(self) -> float:
        """How much is done, 0 … 1."""
        return state.share(self.found)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A chunk that did not pass."""

    chunk: Chunk
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Detail:
    """All there is to know of a job."""

    seen: Seen
    progress: Progress
    troubles: tuple[Trouble, ...]
    failures: tuple[Failure, ...]
    #: Why it is as it is, where there is something to say.
    reason: str | None


def find(text: str, tenant: str, root: ObjectStore) -> JobRequest:
    """Return the job that an id, "tenant:id", or the beginning of just one id names.

    Raises:
        RequestError: There is none, or the beginning fits several.
    """
    ref = JobRef.parse(text) if ":" in text else JobRef(tenant, text)
    store = tree.home(root, ref)
    request = load_request(ref.id, store)
    if request:
        return request
    known = list(_ids(store))
    meant = [each for each in known if each.startswith(ref.id)]
    request = load_request(meant[0], store) if len(meant) == 1 else None
    if request:
        return request
    near = meant[:MAX_NEAR] or difflib.get_close_matches(ref.id, known, MAX_NEAR)
    hint = f" Did you mean {' or '.join(near)}?" if near else " See: voxmill jobs list"
    raise RequestError(f"There is no job {text!r}.{hint}")


def look(request: JobRequest, root: ObjectStore) -> Seen:
    """Return how far a job is: one listing, and the result if there is one."""
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    result = load_result(request.id, found.round, store) if found.is_ended else None
    return Seen(request, found, state.state_of(found, result), result)


def newest(tenant: str, root: ObjectStore, states: Collection[State] = ()) -> Iterator[Seen]:
    """Yield the jobs of a tenant, the newest first; no more are read than are taken.

    Args:
        tenant: Whose.
        root: The queue's store.
        states: Only jobs in one of these; all if there is none.
    """
    store = root.below(names.tenant(tenant)) if tenant else root

    def seen(job_id: str) -> Seen | None:
        request = load_request(job_id, store)  # None: removed a moment ago
        return look(request, root) if request else None

    ids = _ids(store)
    while some := list(islice(ids, AT_ONCE)):
        for each in _at_once(seen, some):
            if each and (not states or each.state in states):
                yield each


def detail(request: JobRequest, root: ObjectStore) -> Detail:
    """Return all there is to know of a job; every receipt is read."""
    store = tree.home(root, request.ref)
    seen = look(request, root)
    receipts = list(read_receipts(request.id, seen.found.done, store))
    tallies = {each.shard: state.tally(each) for each in receipts}
    number = seen.found.round
    round_ = load_round(request.id, number, store) if number else None
    return Detail(
        seen=seen,
        progress=state.progress(request, seen.found, round_, tallies),
        troubles=tuple(_troubles(request.id, receipts, store)),
        failures=tuple(read_failures(request.id, seen.found, store)),
        reason=_reason(seen, root),
    )


def read_receipts(
    job_id: str, shards: Collection[str], store: ObjectStore
) -> Iterator[ShardReceipt]:
    """Yield the receipts of shards."""
    yield from filter(None, _at_once(lambda each: load_receipt(job_id, each, store), shards))


def read_failures(job_id: str, found: JobTree, store: ObjectStore) -> list[Failure]:
    """Return the attempts that came to nothing, in the order of time."""
    listed = [names.failure(job_id, each.shard, each.stage, each.number) for each in found.failures]
    failures = filter(None, _at_once(lambda name: load_failure(name, store), listed))
    return sorted(failures, key=lambda each: each.at_s)


def _reason(seen: Seen, root: ObjectStore) -> str | None:
    if seen.result:
        return seen.result.reason
    if root.exists(names.active(str(seen.request.ref))):
        return None
    return "it was never wholly written; submit it again to complete it"


def _troubles(job_id: str, receipts: list[ShardReceipt], store: ObjectStore) -> Iterator[Trouble]:
    """Yield the chunks that did not pass, with what they say."""
    wrong = {
        index: (shard, receipt)
        for index, (shard, receipt) in state.latest(receipts).items()
        if receipt.outcome != "passed"
    }
    shards = sorted({shard for shard, _ in wrong.values()})
    chunks = {
        planned.chunk.index: planned.chunk
        for shard in _at_once(lambda each: load_shard(job_id, each, store), shards)
        for planned in shard.chunks
    }
    for index, (_, receipt) in sorted(wrong.items()):
        yield Trouble(chunks[index], receipt.outcome, _why(receipt))


def _why(receipt: ChunkReceipt) -> str:
    if receipt.failure is not None:
        return receipt.failure
    return "; ".join(defect.detail for defect in receipt.marks.verdict.defects)


def _ids(store: ObjectStore) -> Iterator[str]:
    for name in store.names(names.INDEX):
        yield name.rpartition("/")[2][_SECONDS_CHARS:]


def _at_once(read: Callable[[Given], Found], given: Iterable[Given]) -> Iterator[Found]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(read, given)
