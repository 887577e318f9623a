"""Settled chunks → finished files: place, stitch, master, encode, measure, subtitle, report.

A file appears in its place only after it was measured and found to meet its profile, so nothing
that is wrong is ever taken for finished.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline import names
from pipeline.assembly.delivery import layout
from pipeline.errors import CorruptObjectError
from pipeline.manifest.marks import Marks
from pipeline.manifest.request import RenderRequest
from pipeline.manifest.result import OutputFile, Result
from pipeline.run import parts, receipt
from pipeline.run.digests import sha256
from pipeline.run.events import Step, Tell
from pipeline.run.prepare import Job
from pipeline.store.local import LocalStore

#: Folder in the store for files that are not finished yet.
WORKSHOP = "tmp"


def finish(
    job: Job, marks: Mapping[int, Marks], store: LocalStore, out: Path, tell: Tell
) -> Result:
    """Make every file of the job and write its result, once.

    Raises:
        ProfileError: A file does not meet the profile; none of that file's name is left behind.
        StorageError: The disk is full, or the folder cannot be written.
    """
    folder = book_folder(job, store, out)
    workshop = store.path(WORKSHOP)
    shutil.rmtree(workshop, ignore_errors=True)
    try:
        made = parts.make(job, marks, store, folder, workshop, tell)
        tell(Step("report", 0.0))
        written = receipt.write(job, marks, store, folder, made)
        tell(Step("report", 1.0))
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    paths = [path for part in made for path in part.paths] + written
    result = Result(
        state="partial" if _n_flagged(marks) else "succeeded",
        outputs=tuple(_output(path, out) for path in sorted(set(paths))),
        n_chunks=len(job.plan.chunks),
        n_flagged=_n_flagged(marks),
        duration_s=sum(part.timeline.duration_s for part in made),
    )
    _remove_outdated(job, result, store, out)
    # An older result may be there whose files were damaged since; the new ones have its bytes.
    store.put(names.result(job.id), result.encode())
    return result


def intact_result(job: Job, store: LocalStore, out: Path) -> Result | None:
    """Return the result of an earlier run if all its files are still what they were."""
    data = store.get(names.result(job.id))
    if data is None:
        return None
    try:
        result = Result.decode(data)
    except CorruptObjectError:
        return None
    is_intact = all(_is_intact(file, out) for file in result.outputs)
    return result if is_intact else None


def book_folder(job: Job, store: LocalStore, out: Path) -> Path:
    """Return the folder of the job's book: another book of the same name keeps its own."""
    taken = [
        other.folder(out)
        for other in _earlier(store)
        if _source_names(other.request) != _source_names(job.request)
    ]
    return layout.book_folder(out, job.plan.author, job.plan.title, taken)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A job that ended in this folder before."""

    id: str
    request: RenderRequest
    result: Result

    def folder(self, out: Path) -> Path:
        return (out / self.result.outputs[0].name).parent


def _earlier(store: LocalStore) -> list[_Earlier]:
    """Return the jobs that ended in this folder, by id."""
    found = []
    if not store.path("jobs").is_dir():
        return []
    for job_id in sorted(path.name for path in store.path("jobs").iterdir()):
        request, result = store.get(names.request(job_id)), store.get(names.result(job_id))
        if request and result:
            try:
                found.append(_Earlier(job_id, RenderRequest.decode(request), Result.decode(result)))
            except CorruptObjectError:
                continue
    return found


def _source_names(request: RenderRequest) -> tuple[str, ...]:
    return tuple(source.name for source in request.sources)


def _remove_outdated(job: Job, result: Result, store: LocalStore, out: Path) -> None:
    """Remove what an earlier edition of this book left that the new one does not replace.

    Only files of the same source in the same profile: another profile is another delivery.
    """
    kept = {file.name for file in result.outputs}
    for other in _earlier(store):
        is_same_book = _source_names(other.request) == _source_names(job.request)
        if other.id == job.id or not is_same_book or other.request.profile != job.profile.name:
            continue
        for file in other.result.outputs:
            if file.name not in kept and _is_intact(file, out):
                (out / file.name).unlink(missing_ok=True)


def _n_flagged(marks: Mapping[int, Marks]) -> int:
    return sum(not one.verdict.passed for one in marks.values())


def _output(path: Path, out: Path) -> OutputFile:
    return OutputFile(
        name=path.relative_to(out).as_posix(),
        size_bytes=path.stat().st_size,
        sha256=sha256(path),
    )


def _is_intact(file: OutputFile, out: Path) -> bool:
    path = out / file.name
    try:
        return path.stat().st_size == file.size_bytes and sha256(path) == file.sha256
    except OSError:
        return False
