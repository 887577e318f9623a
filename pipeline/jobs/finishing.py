"""A book put together from its chunks in the store: the same files `render` makes, delivered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ProfileError, VoxmillError
from pipeline.jobs import delivery, ending, gathering, records, scratch, tree
from pipeline.jobs.delivery import Edition
from pipeline.jobs.gathering import Book
from pipeline.manifest.delivery import DeliveryManifest
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.run import parts, receipt
from pipeline.run.events import Event, Step, Tell
from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore

#: While files are made it is asked this often whether anybody still wants them.
ASK_EVERY_S = 5.0

#: Raises when somebody else has taken over, or the job was cancelled.
KeepGoing = Callable[[], None]


def finish(
    request: JobRequest,
    root: ObjectStore,
    output: ObjectStore,
    below: Path,
    tell: Tell,
    keep_going: KeepGoing,
) -> Result:
    """Make a job's files, deliver them, and decide how it ends; once, whoever else tries.

    Args:
        request: The job.
        root: The queue's store.
        output: Where the files go.
        below: Has room for the book's takes and its files.
        tell: Is told of steps.
        keep_going: Raises when somebody else has taken over, or the job was cancelled.

    Returns:
        The decision that stands; another finalizer's, if that was first.

    Raises:
        IncompleteError: Chunks are missing or damaged; what must be is planned again.
    """
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    number = found.round
    standing = records.load_result(request.id, number, store)
    if standing:
        return standing
    book = gathering.gather(request, found, store)
    if book.n_failed == len(book.chosen):
        reason = f"not one chunk could be made: {next(iter(book.chosen.values())).failure}"
        return ending.decide(request.id, number, ending.failed(request, reason), store)
    with scratch.held(below) as folder:
        takes = gathering.fetch(book, request, found, store, folder / "takes")
        keep_going()
        try:
            made = _make(book, takes, folder, _asking(tell, keep_going))
        except ProfileError as error:  # so it would be for anybody
            return ending.decide(request.id, number, ending.failed(request, str(error)), store)
        keep_going()
        edition = delivery.edition(request, number, made.folder, made.paths)
        try:
            delivered = delivery.deliver(
                edition, _manifest(request, book, edition, made), output, keep_going
            )
            keep_going()
        except BaseException:
            with suppress(VoxmillError):
                _discard(request, number, edition, output, store)
            raise
    result = _result(book, delivered, made, output)
    standing = ending.decide(request.id, number, result, store)
    _discard(request, number, edition, output, store)
    return standing


@dataclass(frozen=True, slots=True)
class _Made:
    """A book's files, and the length of its audio."""

    folder: Path
    paths: list[Path]
    duration_s: float


def _make(book: Book, takes: LocalStore, folder: Path, tell: Tell) -> _Made:
    """Make every file of the book."""
    out = folder / "out"
    made = parts.make(book.job, book.marks, takes, out, folder / "workshop", tell)
    tell(Step("report", 0.0))
    written = receipt.write(book.job, book.marks, takes, out, made)
    paths = {path for part in made for path in part.paths} | set(written)
    return _Made(out, sorted(paths), sum(part.timeline.duration_s for part in made))


def _asking(tell: Tell, keep_going: KeepGoing) -> Tell:
    """Return a `tell` that also asks now and then whether to go on."""
    asked_s = time.monotonic()

    def told(event: Event) -> None:
        nonlocal asked_s
        if time.monotonic() - asked_s > ASK_EVERY_S:
            asked_s = time.monotonic()
            keep_going()
        tell(event)

    return told


def _discard(
    request: JobRequest, number: int, edition: Edition, output: ObjectStore, store: ObjectStore
) -> None:
    """Remove an edition that was decided against.

    While nothing is decided it stays: another finalizer may have found the files and count on them.
    """
    standing = records.load_result(request.id, number, store)
    if standing and standing.location != output.place(edition.prefix):
        output.delete_all(edition.prefix)


def _manifest(request: JobRequest, book: Book, edition: Edition, made: _Made) -> DeliveryManifest:
    return DeliveryManifest(
        job=request.id,
        tenant=request.tenant,
        title=book.job.plan.title,
        state="partial" if book.n_flagged else "succeeded",
        n_chunks=len(book.chosen),
        n_flagged=book.n_flagged,
        n_failed=book.n_failed,
        duration_s=made.duration_s,
        request=book.job.request,
        plan_sha256=hashlib.sha256(book.job.plan.encode()).hexdigest(),
        outputs=edition.outputs,
    )


def _result(book: Book, delivered: Edition, made: _Made, output: ObjectStore) -> Result:
    return Result(
        state="partial" if book.n_flagged else "succeeded",
        outputs=delivered.outputs,
        n_chunks=len(book.chosen),
        n_flagged=book.n_flagged,
        duration_s=made.duration_s,
        n_failed=book.n_failed,
        location=output.place(delivered.prefix),
        finished_s=time.time(),
    )
