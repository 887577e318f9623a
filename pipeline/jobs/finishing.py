"""A book put together from its chunks in the store: the same files `render` makes, delivered."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import names
from pipeline.errors import TransientError
from pipeline.jobs import delivery, ending, records, tree
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Plan
from pipeline.manifest.result import Result
from pipeline.manifest.script import Cover
from pipeline.manifest.shard import ChunkReceipt
from pipeline.run import parts, receipt
from pipeline.run.events import Step, Tell
from pipeline.run.prepare import Job, content_id, require_profile, with_channels
from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore

log = logging.getLogger(__name__)

#: Objects read at once.
AT_ONCE = 8


class IncompleteError(TransientError):
    """Chunks are missing: they must be made before the book can be put together."""


def finish(
    request: JobRequest,
    root: ObjectStore,
    output: ObjectStore,
    scratch: Path,
    tell: Tell,
    keep_going: Callable[[], None],
) -> Result:
    """Make a job's files, deliver them, and decide how it ends; once, whoever else tries.

    Args:
        request: The job.
        root: The queue's store.
        output: Where the files go.
        scratch: Has room for the book's takes and its files.
        tell: Is told of steps.
        keep_going: Raises when somebody else has taken over, or the job was cancelled.

    Returns:
        The decision that stands; another finalizer's, if that was first.

    Raises:
        IncompleteError: Chunks are missing or damaged; damaged ones are gone from the store now.
        ProfileError: A file does not meet the profile.
    """
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    if found.is_ended:
        standing = records.load_result(request.id, found.round, store)
        assert standing, "listed a moment ago"
        return standing
    book = _read(request, found, store)
    if all(each.failure is not None for each in book.chosen.values()):
        reason = f"not one chunk could be made: {next(iter(book.chosen.values())).failure}"
        return ending.decide(request.id, found.round, ending.failed(request, reason), store)
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="voxmill-", dir=scratch) as folder:
        takes = _fetched(book, request, store, Path(folder) / "takes")
        keep_going()
        files, duration_s = _made(book, takes, Path(folder), tell)
        keep_going()
        edition = delivery.deliver(request, book.job, files, output, keep_going)
    result = Result(
        state="partial" if book.n_flagged else "succeeded",
        outputs=edition.outputs,
        n_chunks=len(book.chosen),
        n_flagged=book.n_flagged,
        duration_s=duration_s,
        n_failed=sum(each.failure is not None for each in book.chosen.values()),
        location=output.place(edition.prefix),
        finished_s=time.time(),
    )
    standing = ending.decide(request.id, found.round, result, store)
    if standing.location != result.location:
        output.delete_all(edition.prefix)  # other files than those that were decided on
    return standing


@dataclass(frozen=True, slots=True)
class _Book:
    """A job, and what stands for each chunk of its plan."""

    job: Job
    chosen: dict[int, ChunkReceipt]
    #: Which shard has the receipt of each take, by the take's key.
    shards: dict[str, str]

    @property
    def marks(self) -> dict[int, Marks]:
        return {index: each.marks for index, each in self.chosen.items()}

    @property
    def n_flagged(self) -> int:
        return sum(each.outcome != "passed" for each in self.chosen.values())


def _read(request: JobRequest, found: JobTree, store: ObjectStore) -> _Book:
    """Read the plan and every receipt.

    Raises:
        IncompleteError: A chunk has none.
    """
    plan = records.load_plan(request.id, store)
    job = _job(request, plan, store)
    if missing := found.left():
        raise IncompleteError(f"{len(missing)} shards have no receipt: {', '.join(missing[:5])}.")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = sorted(found.done, key=lambda shard: (records.round_of(shard), shard))
        receipts = list(
            pool.map(lambda shard: records.load_receipt(request.id, shard, store), done)
        )
    by_index: dict[int, ChunkReceipt] = {}
    shards: dict[str, str] = {}
    for each in filter(None, receipts):
        for chunk in each.chunks:
            # A later round's word counts, unless it could make nothing where another could.
            if chunk.failure is None or chunk.index not in by_index:
                by_index[chunk.index] = chunk
                shards[chunk.marks.key] = each.shard
    by_key = {
        job.recipe.key(chunk, 0): by_index[chunk.index]
        for chunk in plan.chunks
        if chunk.index in by_index
    }
    try:
        chosen = {chunk.index: by_key[job.recipe.key(chunk, 0)] for chunk in plan.chunks}
    except KeyError as error:
        raise IncompleteError("a chunk of the plan is in no shard.") from error
    return _Book(job, chosen, shards)


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


def _fetched(book: _Book, request: JobRequest, store: ObjectStore, folder: Path) -> LocalStore:
    """Copy the takes to this machine, since they are read more than once.

    Raises:
        IncompleteError: One is missing or damaged; it is removed, to be made again.
    """
    local = LocalStore(folder)
    wanted = {marks.key: marks for marks in book.marks.values()}

    def fetch(marks: Marks) -> str | None:
        data = store.get(names.audio(marks.key))
        if data is None or hashlib.sha256(data).hexdigest() != marks.audio_sha256:
            return marks.key
        local.put(names.audio(marks.key), data)
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        damaged = [key for key in pool.map(fetch, wanted.values()) if key]
    for key in damaged:
        log.warning("%s is damaged: it is made again", store.place(names.audio(key)))
        store.delete(names.audio(key))
        store.delete(names.marks(key, book.job.recipe.checker))
        store.delete(names.done(request.id, book.shards[key]))
    if damaged:
        raise IncompleteError(f"{len(damaged)} takes were damaged and are made again.")
    return local


def _made(book: _Book, takes: LocalStore, folder: Path, tell: Tell) -> tuple[list[Path], float]:
    """Make every file of the book; return them, and the length of the audio in seconds."""
    out = folder / "out"
    made = parts.make(book.job, book.marks, takes, out, folder / "workshop", tell)
    tell(Step("report", 0.0))
    written = receipt.write(book.job, book.marks, takes, out, made)
    paths = {path for part in made for path in part.paths} | set(written)
    return sorted(paths), sum(part.timeline.duration_s for part in made)
