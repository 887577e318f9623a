"""What Prometheus is told. Counters survive the child process that counted.

A worker is a supervisor and a child that may die and be replaced, so values lie in files of a
folder both know (prometheus_client's multiprocess mode), which must be named before this module
is imported. What a process shows at the moment goes with it, what it has counted stays.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from pipeline.manifest.message import STAGES, Stage

if TYPE_CHECKING:
    from workers.ledger.observing import Snapshot

#: Names the folder of the files; read by prometheus_client itself.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds; a shard takes from one to a few hundred.
SHARD_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
BOOK_BUCKETS = (1, 5, 15, 60, 180, 600, 1800, 3600, 10800)
CHUNK_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)

queue_age_seconds = Gauge(
    "voxmill_queue_age_seconds", "Age of the oldest published work", ["stage"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
queue_depth = Gauge(
    "voxmill_queue_depth", "Published work that nobody has taken", ["stage"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
leases = Gauge(
    "voxmill_leases", "Work in progress", ["stage"], multiprocess_mode="livemostrecent"
)  # fmt: skip
live_workers = Gauge(
    "voxmill_workers", "Live workers that serve a stage", ["stage"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
pending_shards = Gauge(
    "voxmill_pending_shards", "Shards that wait for their turn", multiprocess_mode="livemostrecent"
)
active_jobs = Gauge(
    "voxmill_active_jobs", "Jobs that have not ended", multiprocess_mode="livemostrecent"
)
real_time_factor = Gauge(
    "voxmill_real_time_factor", "Seconds of synthesis a second of audio, last shard",
    multiprocess_mode="livemostrecent",
)  # fmt: skip
gpu_memory_bytes = Gauge(
    "voxmill_gpu_memory_bytes", "Memory of the GPU", ["kind"], multiprocess_mode="livemostrecent"
)
chunks_total = Counter("voxmill_chunks_total", "Settled chunks", ["outcome"])
takes_total = Counter("voxmill_takes_total", "Takes of settled chunks")
audio_seconds_total = Counter("voxmill_audio_seconds_total", "Audio synthesized")
retries_total = Counter("voxmill_retries_total", "Attempts that failed", ["stage", "reason"])
jobs_total = Counter("voxmill_jobs_total", "Ended jobs", ["state"])
webhooks_total = Counter("voxmill_webhooks_total", "Webhooks sent", ["outcome"])
chunk_seconds = Histogram(
    "voxmill_chunk_seconds", "Synthesis of a chunk, its share of the shard", buckets=CHUNK_BUCKETS
)
shard_seconds = Histogram(
    "voxmill_shard_seconds", "Work on a shard", ["stage"], buckets=SHARD_BUCKETS
)
reconcile_seconds = Histogram(
    "voxmill_reconcile_seconds", "A round of the reconciler", buckets=SHARD_BUCKETS
)
finalize_seconds = Histogram(
    "voxmill_finalize_seconds", "Putting a book together", buckets=BOOK_BUCKETS
)


def exposition() -> bytes:
    """Return all metrics of this process and its children as text."""
    if not _is_shared():
        return generate_latest(REGISTRY)
    _forget_the_dead()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)


def shard_spoken(n_takes: int, audio_s: float, wall_s: float) -> None:
    """Count the takes of a shard that were synthesized together."""
    if not n_takes:
        return
    audio_seconds_total.inc(audio_s)
    if audio_s:
        real_time_factor.set(wall_s / audio_s)
    for _ in range(n_takes):
        chunk_seconds.observe(wall_s / n_takes)


def shard_worked(stage: Stage, wall_s: float) -> None:
    """Count work on a shard at a stage."""
    shard_seconds.labels(stage).observe(wall_s)


def chunk_settled(outcome: str, n_takes: int) -> None:
    """Count a settled chunk: passed, flagged or failed."""
    chunks_total.labels(outcome).inc()
    takes_total.inc(n_takes)


def retried(stage: Stage, reason: str) -> None:
    """Count an attempt that failed."""
    retries_total.labels(stage, reason).inc()


def job_ended(state: str) -> None:
    """Count an ended job."""
    jobs_total.labels(state).inc()


def webhook_sent(outcome: str) -> None:
    """Count a webhook: delivered, failed or gave_up."""
    webhooks_total.labels(outcome).inc()


def book_finished(wall_s: float) -> None:
    """Count a finished book."""
    finalize_seconds.observe(wall_s)


def reconciled(wall_s: float) -> None:
    """Count a round of the reconciler."""
    reconcile_seconds.observe(wall_s)


def ledger_seen(seen: Snapshot, n_active: int) -> None:
    """Show what is under way."""
    for stage in STAGES:
        count = seen.stages[stage]
        queue_age_seconds.labels(stage).set(count.oldest_s)
        queue_depth.labels(stage).set(count.n_queued)
        leases.labels(stage).set(count.n_leased)
        live_workers.labels(stage).set(sum(stage in served for served in seen.workers.values()))
    pending_shards.set(sum(seen.pending.values()))
    active_jobs.set(n_active)


def gpu_memory() -> None:
    """Show the GPU's memory, where an engine has brought torch along."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return
    gpu_memory_bytes.labels("allocated").set(torch.cuda.memory_allocated())
    gpu_memory_bytes.labels("reserved").set(torch.cuda.memory_reserved())


def _forget_the_dead() -> None:
    """Drop what processes that are no more have shown: nobody else would."""
    for path in Path(os.environ[FOLDER]).glob("gauge_live*_*.db"):
        try:
            os.kill(int(path.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)  # another request may do the same
        except PermissionError:
            continue  # it lives, as another user


def _is_shared() -> bool:
    """Tell whether values lie in files."""
    from prometheus_client import values  # noqa: PLC0415 - private to this question

    return bool(values.ValueClass.__name__ != "MutexValue")
