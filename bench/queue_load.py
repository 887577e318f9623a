"""The queue under load: a thousand jobs of a hundred chunks, and an engine that is free.

    python -m bench.queue_load [--jobs 1000] [--chunks 100] [--drain-s 300]

Measured are what grows with the number of jobs: submitting, listing, a round of the reconciler,
Redis; and what each chunk costs besides speaking and checking it. Workers drain for a while, and
the rest is left: a rate needs no more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
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

N_WORKERS = 2
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
    submitter.is_reachable = False  # nobody is to begin yet
    started_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.md"
        for job in range(n_jobs):
            path.write_text(text(job, n_chunks), encoding="utf-8")
            submitter.submit(
                Wanted(str(path), "s3://voxmill/out", OPTIONS, job_id=f"job-{job:04d}")
            )
    return (time.perf_counter() - started_s) / n_jobs


def drained(settings: Settings, seconds: float) -> float:
    """Let workers work for a while; return how many shards a second they are through with."""
    store = open_store(settings.store_url, settings)

    def n_done() -> int:
        return sum("/done/" in name for name in store.names(names.JOBS))

    before, started_s = n_done(), time.perf_counter()
    time.sleep(seconds)
    return (n_done() - before) / (time.perf_counter() - started_s)


def measure(stack: Stack, n_jobs: int, n_chunks: int, drain_s: float) -> dict[str, Any]:
    """Measure one size."""
    settings = stack.settings
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    before = client.info("memory")["used_memory"]
    table.note(f"{n_jobs} jobs: submitting")
    submit_s = submitted(settings, n_jobs, n_chunks)
    context = contexts.create(apps.create(settings), settings)
    refs = [JobRef("", f"job-{job:04d}") for job in range(n_jobs)]
    table.note("admitting")
    admit_s = timed(lambda: [tending.tend(context, ref) for ref in refs])
    table.note("rounds of the reconciler")
    looking_after = reconciler.Reconciler(context)
    looking_after.once(set())
    round_s = timed(lambda: looking_after.once(set()))
    memory = client.info("memory")["used_memory"] - before
    table.note("listing")
    list_s = timed(lambda: stack.voxmill("jobs", "list", "--json", "--limit", 50))
    table.note(f"working for {drain_s:.0f} s")
    rate = drained(settings, drain_s)
    n_shards = -(-n_chunks // settings_shard(settings))
    return {
        "jobs": n_jobs,
        "chunks": n_jobs * n_chunks,
        "submit_ms_a_job": 1000 * submit_s,
        "admit_ms_a_job": 1000 * admit_s / n_jobs,
        "reconciler_round_s": round_s,
        "redis_mb": memory / 1e6,
        "list_50_s": list_s,
        "shards_a_second": rate,
        "ms_a_chunk": 1000 * n_shards / (rate * n_chunks) if rate else float("inf"),
    }


def settings_shard(settings: Settings) -> int:
    """Return how many chunks make a shard of the silent engine."""
    return settings.shard_chunks or 16


def main() -> None:
    """Measure a tenth of the load, then all of it: what grows faster than the load shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--chunks", type=int, default=100)
    parser.add_argument("--drain-s", type=float, default=300.0)
    chosen = parser.parse_args()
    rows = []
    for n_jobs in (chosen.jobs // 10, chosen.jobs):
        with up(N_WORKERS) as stack:
            rows.append(measure(stack, n_jobs, chosen.chunks, chosen.drain_s))
    table.show("the queue under load", rows)
    print(table.save("queue_load", {"sizes": rows}))


if __name__ == "__main__":
    main()
