"""The ledger alone, in a real Redis: bytes for each waiting shard, seconds for the calls of one.

    python -m bench.queue_ledger

Sizes differ in the number of jobs and in the shards of each: Redis packs what is short, so shards
of short jobs take less. The calls are those made for a shard on its way, by one process and one
after the other; of their time, Redis says itself how much it worked: that is what one server has to
give.
"""

from __future__ import annotations

from typing import Any

from bench import table
from bench.queue_load import timed, used_memory
from bench.queue_stack import up
from pipeline.manifest.ref import JobRef
from workers.ledger import Item, Ledger
from workers.ledger.connection import connect

#: Jobs, and the shards of each.
SIZES = ((1000, 100), (10_000, 100), (1000, 1000))
#: Shards whose calls are timed.
N_TIMED = 2000
LEASE_S = 60.0
OWNER = "bench-1"


def admitted(ledger: Ledger, n_jobs: int, n_shards: int) -> float:
    """Put the shards of so many jobs in line; return the bytes that each takes."""
    shards = [f"{number:04d}" for number in range(n_shards)]
    before = used_memory(ledger.redis)
    for job in range(n_jobs):
        ledger.admit(
            JobRef("", f"job-{job:05d}"), weight=1.0, priority="normal", created_s=job, left=shards
        )
    return (used_memory(ledger.redis) - before) / (n_jobs * n_shards)


def six_calls(ledger: Ledger) -> Item:
    """Do for the next shard what is done for it from its turn to its receipt; return it."""
    (picked,) = ledger.pick(1)
    assert ledger.begin("synth", picked.item, "normal", picked.at, OWNER, LEASE_S)
    at = ledger.hand_over(picked.item, "normal")
    assert ledger.begin("check", picked.item, "normal", at, OWNER, LEASE_S)
    assert ledger.done(picked.item) >= 0
    ledger.end("check", picked.item, OWNER)
    return picked.item


def worked_ms(ledger: Ledger) -> float:
    """Return the milliseconds that Redis worked at scripts since it began to count."""
    return float(ledger.redis.info("commandstats")["cmdstat_evalsha"]["usec"]) / 1000


def measure(ledger: Ledger, n_jobs: int, n_shards: int) -> dict[str, Any]:
    """Measure one size in an empty Redis."""
    ledger.redis.flushall()
    bytes_a_shard = admitted(ledger, n_jobs, n_shards)
    items: list[Item] = []
    ledger.redis.config_resetstat()
    calls_s = timed(lambda: items.extend(six_calls(ledger) for _ in range(N_TIMED)))
    assert len(set(items)) == N_TIMED, "a shard came twice"
    return {
        "jobs": n_jobs,
        "shards_a_job": n_shards,
        "shards": n_jobs * n_shards,
        "bytes_a_shard": bytes_a_shard,
        "six_calls_ms": 1000 * calls_s / N_TIMED,
        "of_that_redis_ms": worked_ms(ledger) / N_TIMED,
    }


def main() -> None:
    """Measure and print."""
    with up(1) as stack, stack.paused("worker-1"), stack.paused("reconciler"):
        ledger = connect(stack.settings.redis_url)
        rows = [measure(ledger, n_jobs, n_shards) for n_jobs, n_shards in SIZES]
    table.show("the ledger in Redis", rows)
    print(table.save("queue_ledger", {"sizes": rows}))


if __name__ == "__main__":
    main()
