"""A prepared job written into the store: after this, nothing that is queued can be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from pipeline import names
from pipeline.errors import ConflictError, CorruptObjectError
from pipeline.jobs import tree
from pipeline.jobs.records import load_request
from pipeline.manifest.job import DERIVED, JobRequest
from pipeline.manifest.plan import Chunk
from pipeline.manifest.shard import PlannedChunk, ShardPlan
from pipeline.run.prepare import Job
from pipeline.run.shards import cut
from pipeline.store.protocol import ObjectStore

#: Objects written at once.
AT_ONCE = 8
#: Chunks in a shard of an engine that likes them one by one: a message has its price.
MIN_SHARD = 8

#: Tells what of a chunk's text the engine leaves out.
Unspeakable = Callable[[Chunk], tuple[str, ...]]


def write(
    job: Job,
    request: JobRequest,
    unspeakable: Unspeakable,
    root: ObjectStore,
    shard_chunks: int = 0,
) -> JobRequest:
    """Write everything of a job, or find that it is there already.

    The request comes first and claims the id; the note among the active jobs comes last and
    makes it a job. Any number of processes may do this at once, or again after a crash.

    Args:
        job: What was prepared.
        request: What was asked for.
        unspeakable: Of the engine that will speak.
        root: The queue's store.
        shard_chunks: How many chunks make a shard; 0 leaves it to the engine.

    Returns:
        The request that stands: of a job that was there, with the time it was first submitted.

    Raises:
        ConflictError: The id belongs to another request.
    """
    store = tree.home(root, request.ref)
    standing = _claimed(request, store)
    if root.exists(names.active(str(request.ref))) or store.exists(names.result(request.id)):
        return standing
    _require_same_software(standing, request)
    shards = cut(distinct(job), shard_chunks or max(job.batch, MIN_SHARD))
    objects = [(names.plan(request.id), job.plan.encode())]
    if job.cover:
        objects.append((names.cover(request.id), job.cover.data))
    for number, chunks in enumerate(shards):
        planned = tuple(PlannedChunk(chunk=c, unspeakable=unspeakable(c)) for c in chunks)
        shard = ShardPlan(id=f"{number:04d}", chunks=planned)
        objects.append((names.shard(request.id, shard.id), shard.encode()))
    put_all(objects, store)
    store.put_new(names.indexed(request.id, standing.created_s), b"")
    root.put_new(names.active(str(request.ref)), b"")
    return standing


def distinct(job: Job) -> list[Chunk]:
    """Return the chunks to speak: those that say the same are spoken once."""
    found: dict[str, Chunk] = {}
    for chunk in job.plan.chunks:
        found.setdefault(job.recipe.key(chunk, 0), chunk)
    return list(found.values())


def put_all(objects: Iterable[tuple[str, bytes]], store: ObjectStore) -> None:
    """Write objects unless they are there, several at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda each: store.put_new(*each), objects):
            pass


def _claimed(request: JobRequest, store: ObjectStore) -> JobRequest:
    """Claim the id; return the request that stands under it."""
    if store.put_new(names.request(request.id), request.encode()):
        return request
    standing = load_request(request.id, store)
    if standing is None:
        raise CorruptObjectError(f"{store.place(names.request(request.id))} came and went.")
    if not standing.body.is_same(request.body):
        raise ConflictError(
            f"The job id {request.id!r} belongs to another request: its text or options differ. "
            "Give another --job-id, or look at it with: voxmill jobs show " + request.id
        )
    return standing


def _require_same_software(standing: JobRequest, request: JobRequest) -> None:
    """Refuse to finish writing what another release of Voxmill began."""
    before, now = standing.body.render, request.body.render
    for name in DERIVED:
        if getattr(before, name) != getattr(now, name):
            raise ConflictError(
                f"The job {request.id!r} was begun by another release of Voxmill or with other "
                f"models ({name} differs), and never finished being written. Give another --job-id."
            )
