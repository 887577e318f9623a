"""What must be true of a job that has ended, whatever happened to the farm meanwhile."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import faulty
import soundfile
from servers import eventually

from pipeline import names
from pipeline.assembly import placement
from pipeline.jobs import gathering
from pipeline.jobs.records import load_receipt, load_shard
from pipeline.manifest.result import Result
from pipeline.run.render import render
from pipeline.store.opening import is_s3, open_store, parse
from workers.blame import MAX_ALONE, MAX_SHARED
from workers.ledger import observing

if TYPE_CHECKING:
    from farm import Farm, Job


def require(farm: Farm, job: Job, *, is_whole: bool = True) -> None:
    """Check all that must be true of a job that has ended, whatever happened to it."""
    settled = _require_one_receipt_each(farm, job)
    _require_bounded(farm, job)
    result = _require_one_result(farm, job)
    if result.location:
        _require_files(farm, job, result)
    if is_whole:
        assert result.state == "succeeded", result
        assert all(each == 1 for each in settled.values())
        assert _files(farm, result) == sound(farm, job)
    _require_nothing_left(farm, job)
    assert _require_one_result(farm, job) == result


def sound(farm: Farm, job: Job) -> dict[str, str]:
    """Return the digests of the files that an undisturbed `render` makes of the same."""
    key = f"{job.text}{job.options}"
    if key not in farm.sound:
        out = farm.folder / "sound" / hashlib.sha256(key.encode()).hexdigest()[:12]
        alone = farm.settings.model_copy(update={"jobs": 1})
        with _unlogged(farm):
            render(farm.write(job.text), out, job.options, alone, lambda _: None)
        farm.sound[key] = digests(next(out.rglob("report.json")).parent)
        shutil.rmtree(out)
    return farm.sound[key]


@contextmanager
def _unlogged(farm: Farm) -> Iterator[None]:
    """Let the log say nothing of what happens meanwhile, and nothing take time."""
    quick = farm.folder / faulty.QUICK
    quick.touch()
    path = farm.folder / faulty.LOG
    n_before = path.stat().st_size if path.exists() else 0
    try:
        yield
    finally:
        os.truncate(path, n_before)
        quick.unlink()


def _require_one_receipt_each(farm: Farm, job: Job) -> Counter[int]:
    """Return how many receipts of the last round tell of each chunk."""
    found = farm.tree(job)
    leaves = list(found.leaves())
    assert set(leaves) <= found.done, "every leaf has its receipt"
    counted: Counter[int] = Counter()
    for leaf in leaves:
        receipt = load_receipt(job.id, leaf, farm.store)
        planned = load_shard(job.id, leaf, farm.store)
        assert receipt
        assert [each.index for each in receipt.chunks] == [
            each.chunk.index for each in planned.chunks
        ]
        counted.update(each.index for each in receipt.chunks)
    assert set(counted.values()) == {1}
    if found.round == 0:
        assert len(counted) == job.request.n_chunks
    return counted


def _require_bounded(farm: Farm, job: Job) -> None:
    tried = Counter((each.shard, each.stage) for each in farm.tree(job).failures)
    for (shard, stage), n in tried.items():
        if stage != "finalize":
            assert n <= max(MAX_ALONE, MAX_SHARED) + 2, f"{shard} {stage} {n} times"


def _require_one_result(farm: Farm, job: Job) -> Result:
    found = farm.tree(job)
    assert found.round in found.results
    result = farm.result(job)
    assert result
    return result


def _require_files(farm: Farm, job: Job, result: Result) -> None:
    """Every file is as the result says, in one edition; the audio as long as its parts."""
    if farm.tree(job).round == 0:
        editions = open_store(farm.output, farm.settings).folders(job.id)
        assert len(list(editions)) == 1, "one edition"
    listed = {file.name: file.sha256 for file in result.outputs}
    delivered = _delivered(farm, result)
    assert digests(delivered) == listed
    book = gathering.gather(job.request, farm.tree(job), farm.store)
    placed = placement.place(book.job.plan, book.marks, book.job.profile)
    frames = [soundfile.info(path).frames for path in delivered.glob("*.flac")]
    assert sum(frames) == placed.n_samples


def _delivered(farm: Farm, result: Result) -> Path:
    """Return the folder of a book's files; from a bucket they are fetched."""
    assert result.location
    if not is_s3(result.location):
        return Path(result.location)
    folder = farm.folder / "fetched" / hashlib.sha256(result.location.encode()).hexdigest()[:12]
    address = parse(result.location)
    bucket = open_store(f"s3://{address.bucket}", farm.settings)
    for name in bucket.names(address.prefix):
        path = folder / name.removeprefix(f"{address.prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.get(name) or b"")
    return folder


def _files(farm: Farm, result: Result) -> dict[str, str]:
    found = digests(_delivered(farm, result))
    return {name: found[name] for name in found if name != "manifest.json"}


def _require_nothing_left(farm: Farm, job: Job) -> None:
    """Wait until neither the ledger nor the list of active jobs knows of it."""

    def is_gone() -> bool:
        known = [key for key in farm.redis.client.scan_iter("voxmill:1:*", 1000)
                 if job.id in key]  # fmt: skip
        seen = observing.snapshot(farm.ledger)
        cared = [each for each in seen.leases if each.item.job.id == job.id]
        return not (known or cared or farm.store.exists(names.active(job.id)))

    eventually(is_gone, 20.0)


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".voxmill" not in path.parts
    }
