"""A small farm of real processes, short of patience.

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
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import faulty
import invariants
from servers import Child, Redis, eventually
from servers import redis as redis_server

from pipeline.jobs import state, tree
from pipeline.jobs.records import load_receipt, load_result, load_shard, round_of
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.run.options import RenderOptions
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from producer.queue.submitting import Submitter, Wanted
from workers import ledger
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
    #: What `invariants` knows of jobs undisturbed.
    sound: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """What a producer's settings are."""
        given = {
            name.removeprefix("VOXMILL_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("VOXMILL_")
        }
        return Settings(**{**given, "engines": json.loads(given["engines"])})

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
        return Wanted(str(self.write(text)), self.output, options, **fields)

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

    def require_invariants(self, job: Job, *, is_whole: bool = True) -> None:
        """Check all that must be true of a job that has ended, whatever happened to it.

        Args:
            job: Any.
            is_whole: Whether it is to be as if nothing had happened.
        """
        invariants.require(self, job, is_whole=is_whole)

    def write(self, text: str) -> Path:
        """Write a text to a file of its own."""
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
