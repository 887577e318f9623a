"""The queue under load: a thousand jobs of a hundred chunks, and an engine that is free.

    python -m bench.queue_load [--jobs 1000] [--chunks 100] [--within-s 7200]

Measured are what grows with the number of jobs: submitting, listing, a round of the reconciler,
Redis; and what each chunk costs besides speaking and checking it, until the last book is done.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import redis

from bench import table
from bench.queue_stack import Stack, up
from pipeline import names
from pipeline.manifest.ref import JobRef
from pipeline.run.options import RenderOptions
from pipeline.settings import Settings
from pipeline.store.opening import open_store
from producer.queue.submitting import Submitter, Wanted
from workers import app as apps
from workers import context as contexts
from workers import reconciler, tending
from workers.context import Context

N_WORKERS = 2
#: Of the reconciler, timed.
N_ROUNDS = 9
OPTIONS = RenderOptions(
    engine="silent",
    language="it",
    check="off",
    profile="raw",
    formats=("wav",),
    subtitles=(),
)
#: Said in half a second, in a language whose words are timed at no cost where nothing is checked:
#: neither putting books together nor aligning hides what the queue costs.
WORDS = "Uno Due Tre Quattro Cinque Sei Sette Otto Nove Dieci".split()


def text(job: int, n_chunks: int) -> str:
    """Return a book with so many chunks, none of which another has."""
    lines = [f"{WORDS[i % 10]} {job * n_chunks + i}." for i in range(n_chunks)]
    return "\n\n".join([f"# Book {job}", *lines])


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def submitted(settings: Settings, n_jobs: int, n_chunks: int) -> float:
    """Submit the jobs; return the seconds a job."""
    submitter = Submitter(settings, open_store(settings.store_url, settings))
    submitter.is_reachable = False  # no hints either
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.md"
        for job in range(n_jobs):
            path.write_text(text(job, n_chunks), encoding="utf-8")
            submitter.submit(
                Wanted(str(path), "s3://voxmill/out", OPTIONS, job_id=f"job-{job:04d}")
            )
    return (time.perf_counter() - started_s) / n_jobs


def reconciled(context: Context) -> float:
    """Return the seconds that a round takes, median of many.

    All jobs are read anew in the first, and in none of the others: that costs a job as much as
    admitting it, and a reconciler gives it no more than its share of the time.
    """
    patient = context.settings.model_copy(update={"reconcile_every_s": 3600.0})
    looking_after = reconciler.Reconciler(replace(context, settings=patient))
    looking_after.once(set())
    return median(timed(lambda: looking_after.once(set())) for _ in range(N_ROUNDS))


@dataclass(frozen=True, slots=True)
class Drained:
    """What it took until all jobs had ended, or the time was over."""

    seconds: float
    n_ended: int
    n_shards: int
    #: The most that Redis held at a time.
    redis_bytes: int


def drained(stack: Stack, client: redis.Redis, n_jobs: int, within_s: float) -> Drained:
    """Let workers work until nothing is left."""
    store = open_store(stack.settings.store_url, stack.settings)
    started_s, peak, n_left = time.perf_counter(), 0, n_jobs
    while n_left and time.perf_counter() - started_s < within_s:
        time.sleep(1.0)
        peak = max(peak, used_memory(client))
        n_left = sum(1 for _ in store.names(names.ACTIVE))
    seconds = time.perf_counter() - started_s
    n_shards = sum("/done/" in name for name in store.names(names.JOBS))
    return Drained(seconds, n_jobs - n_left, n_shards, peak)


def used_memory(client: redis.Redis) -> int:
    """Return the bytes that Redis uses."""
    return int(client.info("memory")["used_memory"])


def measure(stack: Stack, n_jobs: int, n_chunks: int, within_s: float) -> dict[str, Any]:
    """Measure one size."""
    settings = stack.settings
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    idle = used_memory(client)
    with stack.paused("reconciler"):  # nobody is to begin yet
        table.note(f"{n_jobs} jobs: submitting")
        submit_s = submitted(settings, n_jobs, n_chunks)
        table.note("listing")
        list_s = timed(lambda: stack.voxmill("jobs", "list", "--json", "--limit", 50))
        table.note("admitting")
        context = contexts.create(apps.create(settings), settings)
        refs = [JobRef("", f"job-{job:04d}") for job in range(n_jobs)]
        admit_s = timed(lambda: [tending.tend(context, ref) for ref in refs])
    table.note("rounds of the reconciler")
    round_s = reconciled(context)
    table.note("working")
    work = drained(stack, client, n_jobs, within_s)
    return {
        "jobs": n_jobs,
        "chunks": n_jobs * n_chunks,
        "submit_ms_a_job": 1000 * submit_s,
        "list_50_s": list_s,
        "admit_ms_a_job": 1000 * admit_s / n_jobs,
        "reconciler_round_s": round_s,
        "redis_mb": (work.redis_bytes - idle) / 1e6,
        "ended": work.n_ended,
        "work_s": work.seconds,
        "ms_a_chunk": 1000 * work.seconds / (work.n_shards * shard_of(settings, n_chunks)),
    }


def shard_of(settings: Settings, n_chunks: int) -> float:
    """Return how many chunks a shard has in the mean."""
    return n_chunks / -(-n_chunks // (settings.shard_chunks or 16))


def main() -> None:
    """Measure a tenth of the load, then all of it: what grows faster than the load shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--chunks", type=int, default=100)
    parser.add_argument("--within-s", type=float, default=7200.0)
    chosen = parser.parse_args()
    rows = []
    for n_jobs in (chosen.jobs // 10, chosen.jobs):
        with up(N_WORKERS) as stack:
            rows.append(measure(stack, n_jobs, chosen.chunks, chosen.within_s))
        table.note(f"{n_jobs} jobs: {rows[-1]['ms_a_chunk']:.1f} ms a chunk")
    table.show("the queue under load", rows)
    print(table.save("queue_load", {"sizes": rows}))


if __name__ == "__main__":
    main()
