"""A small farm of real processes, short of patience, and what must be true after any fault.

with farming(folder, n_workers=2) as farm:
    job = farm.submit(text(24))
    farm.workers[0].kill()
    farm.await_end(job)
    farm.require_invariants(job)
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import faulty
import soundfile
from servers import Child, Redis, eventually
from servers import redis as redis_server

from pipeline import names
from pipeline.assembly import placement
from pipeline.jobs import gathering, state, tree
from pipeline.jobs.records import load_receipt, load_result, load_shard, round_of
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.run.options import RenderOptions
from pipeline.run.render import render
from pipeline.settings import Settings
from pipeline.store.opening import is_s3, open_store, parse
from pipeline.store.protocol import ObjectStore
from producer.queue.submitting import Submitter, Wanted
from workers import ledger
from workers.blame import MAX_ALONE, MAX_SHARED
from workers.ledger import observing

HERE = Path(__file__).parent
VOXMILL = (sys.executable, "-m", "producer.cli.app")
#: Chunks in a shard.
SHARD = 4
#: Short of patience, so that a test sees in seconds what a farm sees in minutes.
IMPATIENCE = {
    "VOXMILL_LEASE_S": "3",
    "VOXMILL_RECONCILE_EVERY_S": "0.5",
    "VOXMILL_SLACK_S": "1.5",
    "VOXMILL_SHARD_TIME_LIMIT_S": "8",
    "VOXMILL_FINALIZE_TIME_LIMIT_S": "60",
    "VOXMILL_GRACE_S": "5",
    "VOXMILL_SHARD_CHUNKS": str(SHARD),
    "VOXMILL_ENGINES": '{"faulty": "faulty:FaultyEngine"}',
    "VOXMILL_OFFLINE": "true",
    # A worker's time is the engine's sleep: its libraries shall not fight for the processors.
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(HERE / "hooks"), str(HERE.parent)]),
}


@dataclass(frozen=True)
class Job:
    """A job of a farm, and what it was made of."""

    request: JobRequest
    text: str
    options: RenderOptions
    started_s: float

    @property
    def id(self) -> str:
        return self.request.id


@dataclass
class Farm:
    """Redis, a store, workers, a finalizer and a reconciler."""

    folder: Path
    redis: Redis
    store_url: str
    #: Of every process.
    environment: dict[str, str]
    #: Where books go.
    output: str
    workers: list[Child] = field(default_factory=list)
    finalizers: list[Child] = field(default_factory=list)
    reconcilers: list[Child] = field(default_factory=list)
    _sound: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """What a producer's settings are."""
        given = {
            name.removeprefix("VOXMILL_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("VOXMILL_")
        }
        return Settings(**{**given, "engines": json.loads(given["engines"])})

    @property
    def _alone(self) -> Settings:
        return self.settings.model_copy(update={"jobs": 1})

    @cached_property
    def store(self) -> ObjectStore:
        return open_store(self.store_url, self.settings)

    @property
    def ledger(self) -> ledger.Ledger:
        return ledger.connect(self.redis.url)

    @property
    def children(self) -> list[Child]:
        return [*self.workers, *self.finalizers, *self.reconcilers]

    def worker(
        self, environment: Mapping[str, str] | None = None, *, queues: str = "synth,check"
    ) -> Child:
        """Return one more worker, not started yet."""
        name = f"{'finalizer' if queues == 'finalize' else 'worker'}-{len(self.children) + 1}"
        child = self._child(name, environment, "worker", "--queues", queues, "--name", name)
        (self.finalizers if queues == "finalize" else self.workers).append(child)
        return child

    def tell(self, environment: Mapping[str, str]) -> None:
        """Give every process more of an environment, from its next start on."""
        for child in self.children:
            child.environment = {**child.environment, **environment}

    def reconciler(self, environment: Mapping[str, str] | None = None) -> Child:
        """Return one more reconciler, not started yet."""
        child = self._child(f"reconciler-{len(self.reconcilers) + 1}", environment, "reconcile")
        self.reconcilers.append(child)
        return child

    def start(self, within_s: float = 90.0) -> None:
        """Start whatever does not run, and wait until the workers take work."""
        for child in self.children:
            if not child.is_running:
                child.start()
        self.await_workers(within_s)

    def await_workers(self, within_s: float = 90.0) -> None:
        """Wait until every worker that runs has said that it is ready."""
        running = [each for each in (*self.workers, *self.finalizers) if each.is_running]
        eventually(lambda: all(self.is_ready(each) for each in running), within_s)

    def is_ready(self, worker: Child) -> bool:
        """Tell whether a worker takes work; by its log, so that it need not be asked."""
        assert worker.is_running, worker.log.read_text()[-3000:]
        log = worker.log.read_text(errors="replace")
        return " ready." in log[log.rfind(f"pid {worker.pid}\n") :]

    def submit(self, text: str, **chosen: Any) -> Job:
        """Submit a text.

        Args:
            text: In Markdown.
            chosen: `cost_s` and other options of the engine; `job_id` and other fields of
                `Wanted`.
        """
        wanted = self.wish(text, **chosen)
        submitted = Submitter(self.settings, self.store).submit(wanted)
        return Job(submitted.request, text, wanted.options, time.time())

    def wish(self, text: str, **chosen: Any) -> Wanted:
        """Return what `submit` submits."""
        fields = {name: chosen.pop(name) for name in WANTED & chosen.keys()}
        own = {"folder": str(self.folder), **{name: str(value) for name, value in chosen.items()}}
        options = replace(OPTIONS, engine_options=own)
        return Wanted(str(self._written(text)), self.output, options, **fields)

    def log(self, text: str | None = None) -> list[faulty.Work]:
        """Return every chunk that was begun, of a text or of all."""
        return [each for each in faulty.log(self.folder) if text is None or each.text in text]

    def await_begun(self, job: Job, n_chunks: int = 1, within_s: float = 60.0) -> None:
        """Wait until so many chunks of a job were begun."""
        eventually(lambda: len(self.log(job.text)) >= n_chunks, within_s, 0.02)

    def tree(self, job: Job) -> JobTree:
        return tree.read(self.store, job.id)

    def result(self, job: Job) -> Result | None:
        return load_result(job.id, self.tree(job).round, self.store)

    def await_end(self, job: Job, within_s: float = 90.0) -> Result:
        """Wait until a job is decided."""

        def found() -> Result | None:
            return self.result(job)

        try:
            return eventually(found, within_s)  # type: ignore[no-any-return]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.describe(job)}") from None

    def describe(self, job: Job) -> str:
        """Say what a job that does not end waits for."""
        logs = [f"--- {each.log.name}\n{each.log.read_text()[-1500:]}" for each in self.children]
        return "\n".join(
            [str(self.tree(job)), str(observing.snapshot(self.ledger)), *logs],
        )

    def sound(self, job: Job) -> dict[str, str]:
        """Return the digests of the files that an undisturbed `render` makes of the same."""
        key = f"{job.text}{job.options}"
        if key not in self._sound:
            out = self.folder / "sound" / hashlib.sha256(key.encode()).hexdigest()[:12]
            with self._unlogged():
                render(self._written(job.text), out, job.options, self._alone, lambda _: None)
            self._sound[key] = digests(next(out.rglob("report.json")).parent)
            shutil.rmtree(out)
        return self._sound[key]

    @contextmanager
    def _unlogged(self) -> Iterator[None]:
        """Let the log say nothing of what happens meanwhile, and nothing take time."""
        quick = self.folder / faulty.QUICK
        quick.touch()
        path = self.folder / faulty.LOG
        n_before = path.stat().st_size if path.exists() else 0
        try:
            yield
        finally:
            os.truncate(path, n_before)
            quick.unlink()

    def require_invariants(self, job: Job, *, is_whole: bool = True) -> None:
        """Check all that must be true of a job that has ended, whatever happened to it."""
        settled = self._require_one_receipt_each(job)
        self._require_bounded(job)
        result = self._require_one_result(job)
        if result.location:
            self._require_files(job, result)
        if is_whole:
            assert result.state == "succeeded", result
            assert all(each == 1 for each in settled.values())
            assert self._files(result) == self.sound(job)
        self._require_nothing_left(job)
        assert self._require_one_result(job) == result

    def _require_one_receipt_each(self, job: Job) -> Counter[int]:
        """Return how many receipts of the last round tell of each chunk."""
        found = self.tree(job)
        leaves = list(found.leaves())
        assert set(leaves) <= found.done, "every leaf has its receipt"
        counted: Counter[int] = Counter()
        for leaf in leaves:
            receipt = load_receipt(job.id, leaf, self.store)
            planned = load_shard(job.id, leaf, self.store)
            assert receipt
            assert [each.index for each in receipt.chunks] == [
                each.chunk.index for each in planned.chunks
            ]
            counted.update(each.index for each in receipt.chunks)
        assert set(counted.values()) == {1}
        if found.round == 0:
            assert len(counted) == job.request.n_chunks
        return counted

    def _require_bounded(self, job: Job) -> None:
        tried = Counter((each.shard, each.stage) for each in self.tree(job).failures)
        for (shard, stage), n in tried.items():
            if stage != "finalize":
                assert n <= max(MAX_ALONE, MAX_SHARED) + 2, f"{shard} {stage} {n} times"

    def _require_one_result(self, job: Job) -> Result:
        found = self.tree(job)
        assert found.round in found.results
        result = self.result(job)
        assert result
        return result

    def _require_files(self, job: Job, result: Result) -> None:
        """Every file is as the result says, in one edition; the audio as long as its parts."""
        if self.tree(job).round == 0:
            editions = open_store(self.output, self.settings).folders(job.id)
            assert len(list(editions)) == 1, "one edition"
        listed = {file.name: file.sha256 for file in result.outputs}
        delivered = self._delivered(result)
        assert digests(delivered) == listed
        book = gathering.gather(job.request, self.tree(job), self.store)
        placed = placement.place(book.job.plan, book.marks, book.job.profile)
        frames = [soundfile.info(path).frames for path in delivered.glob("*.flac")]
        assert sum(frames) == placed.n_samples

    def _delivered(self, result: Result) -> Path:
        """Return the folder of a book's files; from a bucket they are fetched."""
        assert result.location
        if not is_s3(result.location):
            return Path(result.location)
        folder = self.folder / "fetched" / hashlib.sha256(result.location.encode()).hexdigest()[:12]
        address = parse(result.location)
        bucket = open_store(f"s3://{address.bucket}", self.settings)
        for name in bucket.names(address.prefix):
            path = folder / name.removeprefix(f"{address.prefix}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bucket.get(name) or b"")
        return folder

    def _files(self, result: Result) -> dict[str, str]:
        found = digests(self._delivered(result))
        return {name: found[name] for name in found if name != "manifest.json"}

    def _require_nothing_left(self, job: Job) -> None:
        """Wait until neither the ledger nor the list of active jobs knows of it."""

        def is_gone() -> bool:
            known = [key for key in self.redis.client.scan_iter("voxmill:1:*", 1000)
                     if job.id in key]  # fmt: skip
            seen = observing.snapshot(self.ledger)
            cared = [each for each in seen.leases if each.item.job.id == job.id]
            return not (known or cared or self.store.exists(names.active(job.id)))

        eventually(is_gone, 20.0)

    def _written(self, text: str) -> Path:
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.md"
        path.write_text(text, encoding="utf-8")
        return path

    def _child(self, name: str, environment: Mapping[str, str] | None, *arguments: str) -> Child:
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        own = {**self.environment, **(environment or {})}
        return Announced([*VOXMILL, *arguments], logs / f"{name}.log", own)


@dataclass
class Announced(Child):
    """A process whose log says where each of its lives begins."""

    def start(self) -> None:
        super().start()
        with self.log.open("a") as log:
            log.write(f"pid {self.pid}\n")


OPTIONS = RenderOptions(
    engine="faulty",
    profile="raw",
    formats=("flac",),
    subtitles=("srt",),
    check="off",
    max_takes=2,
    language="en",
)
#: Fields of a wish that are not options of the engine.
WANTED = frozenset({"job_id", "priority", "deadline", "webhook"})


@contextmanager
def farming(
    folder: Path,
    n_workers: int = 2,
    *,
    store_url: str = "",
    output: str = "",
    environment: Mapping[str, str] | None = None,
    is_persistent: bool = True,
) -> Iterator[Farm]:
    """Run a farm; its processes are not started yet.

    Args:
        folder: Keeps everything; the store too, where no other is named.
        n_workers: That speak and check.
        store_url: Another store.
        output: Another place for books.
        environment: Of every process.
        is_persistent: Whether Redis keeps what it knows on disk.
    """
    with ExitStack() as stack:
        server = stack.enter_context(redis_server(folder, persistent=is_persistent))
        (folder / "scratch").mkdir()
        url = store_url or str(folder / "store")
        farm = Farm(
            folder,
            server,
            url,
            {
                **IMPATIENCE,
                "VOXMILL_STORE_URL": url,
                "VOXMILL_REDIS_URL": server.url.get_secret_value(),
                "VOXMILL_SCRATCH_DIR": str(folder / "scratch"),
                "TMPDIR": str(folder / "scratch"),
                **(environment or {}),
            },
            output or str(folder / "out"),
        )
        stack.callback(stop, farm)
        for _ in range(n_workers):
            farm.worker()
        farm.worker(queues="finalize")
        farm.reconciler()
        yield farm


def stop(farm: Farm) -> None:
    """End every process."""
    for child in farm.children:
        if child.is_running:
            child.kill()


def text(n_chunks: int, name: str = "river", *, marks: Mapping[int, str] | None = None) -> str:
    """Return a text of so many chunks, each of its own words: none is so long that it is split.

    Args:
        n_chunks: How many.
        name: What the text is about; another one has other chunks.
        marks: Words that stand in some of them.
    """
    said = marks or {}
    lines = [
        f"Tale {i} of the {name} tells how the water rose and why nobody came to the old bridge "
        f"{said.get(i, 'that')} night until the winter was over and the road was dry."
        for i in range(n_chunks)
    ]
    return "\n\n".join([f"# The {name}", *lines]) + "\n"


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".voxmill" not in path.parts
    }


def failed(farm: Farm, job: Job) -> dict[str, str]:
    """Return the text of each chunk that could not be made, with the reason."""
    found = farm.tree(job)
    receipts = [load_receipt(job.id, each, farm.store) for each in found.done]
    latest = state.latest([each for each in receipts if each])
    texts = {
        each.chunk.index: each.chunk.text
        for shard in found.shards
        if round_of(shard) == 0
        for each in load_shard(job.id, shard, farm.store).chunks
    }
    return {texts[i]: each.failure for i, (_, each) in latest.items() if each.failure}
