"""What a finalizer needs of a job: its plan, what stands for each chunk, and the takes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline import names
from pipeline.errors import CorruptObjectError, IncompleteError
from pipeline.jobs import again, records
from pipeline.jobs.scratch import ELSEWHERE
from pipeline.jobs.state import latest
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk, Plan
from pipeline.manifest.script import Cover
from pipeline.manifest.shard import ChunkReceipt, ShardReceipt
from pipeline.run.prepare import Job, content_id, require_profile, with_channels
from pipeline.run.recipe import Recipe
from pipeline.store.local import LocalStore, explain
from pipeline.store.protocol import ObjectStore

log = logging.getLogger(__name__)

#: Objects read at once.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Book:
    """A job, and what stands for each chunk of its plan, by the chunk's index."""

    job: Job
    chosen: dict[int, ChunkReceipt]

    @property
    def marks(self) -> dict[int, Marks]:
        """The marks of each chunk's take."""
        return {index: each.marks for index, each in self.chosen.items()}

    @property
    def n_flagged(self) -> int:
        """Chunks that did not pass, those that could not be made included."""
        return sum(each.outcome != "passed" for each in self.chosen.values())

    @property
    def n_failed(self) -> int:
        """Chunks that could not be made."""
        return sum(each.outcome == "failed" for each in self.chosen.values())


def gather(request: JobRequest, found: JobTree, store: ObjectStore) -> Book:
    """Read the plan and every receipt.

    Raises:
        IncompleteError: A chunk has no receipt; where no shard would give it one, it is planned
            again.
    """
    if missing := found.left():
        raise IncompleteError(f"{len(missing)} shards have no receipt: {', '.join(missing[:5])}.")
    plan = records.load_plan(request.id, store)
    job = _job(request, plan, store)
    told = latest(receipts(request.id, found, store))
    allowed = records.recipe(request, found.round)
    keys = {chunk.index: job.recipe.key(chunk, 0) for chunk in plan.chunks}
    by_key = {
        keys[chunk.index]: told[chunk.index][1]
        for chunk in plan.chunks
        if chunk.index in told and _is_about(told[chunk.index][1], chunk, allowed)
    }
    lost = {index for index, key in keys.items() if key not in by_key}
    if lost:
        _make_again(request, found, lost, store)
    return Book(job, {index: by_key[key] for index, key in keys.items()})


def fetch(
    book: Book, request: JobRequest, found: JobTree, store: ObjectStore, folder: Path
) -> LocalStore:
    """Copy the takes to this machine, since they are read more than once.

    Raises:
        IncompleteError: One is missing or damaged; it is removed, and its chunk planned again.
        StorageError: The disk is full.
    """
    local = LocalStore(folder, ELSEWHERE)
    wanted = {marks.key: marks for marks in book.marks.values()}

    def copy(marks: Marks) -> str | None:
        data = store.get(names.audio(marks.key))
        if data is None or hashlib.sha256(data).hexdigest() != marks.audio_sha256:
            return marks.key
        _write(local.path(names.audio(marks.key)), data)
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        damaged = {key for key in pool.map(copy, wanted.values()) if key}
    for key in damaged:
        log.warning("%s is damaged: it is made again", store.place(names.audio(key)))
        store.delete(names.audio(key))
        store.delete(names.marks(key, book.job.recipe.checker))
    if damaged:
        lost = {index for index, marks in book.marks.items() if marks.key in damaged}
        _make_again(request, found, lost, store)
    return local


def _make_again(
    request: JobRequest, found: JobTree, lost: Collection[int], store: ObjectStore
) -> None:
    """Plan lost chunks again, and say so."""
    if not again.mend(request.id, found, lost, store):
        raise CorruptObjectError(
            f"Chunk {min(lost)} of the job {request.ref} is in no shard. Remove the job with "
            "`voxmill jobs rm` and submit it again."
        )
    raise IncompleteError(f"What was made of {len(lost)} chunks is lost: they are made again.")


def receipts(job_id: str, found: JobTree, store: ObjectStore) -> list[ShardReceipt]:
    """Return every receipt; one that cannot be read is as good as none."""

    def load(shard: str) -> ShardReceipt | None:
        try:
            return records.load_receipt(job_id, shard, store)
        except CorruptObjectError as error:
            log.warning("%s: %s", store.place(names.done(job_id, shard)), error)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [receipt for receipt in pool.map(load, sorted(found.done)) if receipt]


def _is_about(receipt: ChunkReceipt, chunk: Chunk, recipe: Recipe) -> bool:
    """Tell whether a receipt is this chunk's: it may be of a removed job that had the same id."""
    if receipt.failure is not None:
        return True
    takes = range(recipe.max_takes)
    return any(receipt.marks.key == recipe.key(chunk, take) for take in takes)


def _job(request: JobRequest, plan: Plan, store: ObjectStore) -> Job:
    """Return the job as `render` would have it; then its files are the same to the byte."""
    render = request.body.render
    cover = None
    if request.cover:
        data = store.get(names.cover(request.id))
        cover = Cover(media_type=request.cover, data=data) if data else None
    return Job(
        id=content_id(render, plan),
        request=render,
        cover=cover,
        plan=plan,
        profile=with_channels(require_profile(render.profile), render.channels),
        recipe=records.recipe(request, 0),
        batch=1,
        threads=1,
        notes=request.notes,
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file that need not survive this process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise explain(error, path.parent, ELSEWHERE) from error
