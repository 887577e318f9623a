"""What the queue costs: the same book by `voxmill render` and by a stack with two workers.

    python -m bench.queue_overhead [--minutes 12] [--rounds 5]

Rounds alternate between the two; the median counts, since a machine that slows or recovers
meanwhile sways each. The stack is up and has spoken once before it is measured, as a worker that
runs for months has; what that saves, the loading of models, is measured as well and named, since
`render` loads them each time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench import prose, table
from bench.queue_stack import VOXMILL, Stack, up

N_WORKERS = 2
#: The overhead that was promised.
GOAL = 0.05


def rendered(book: Path, seed: int) -> tuple[float, float]:
    """Render a book; return the seconds by the clock, and those of processors in loading models."""
    with tempfile.TemporaryDirectory() as out:
        started_s = time.perf_counter()
        done = subprocess.run(
            [*VOXMILL, "render", str(book), "--out", out, "--seed", str(seed), "--jobs",
             str(N_WORKERS), "--json"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        wall_s = time.perf_counter() - started_s
    finished = json.loads(done.stdout.splitlines()[-1])
    return wall_s, float(finished["spent_s"].get("loading", 0.0))


def queued(stack: Stack, book: Path, seed: int) -> float:
    """Submit a book and wait for it; return the seconds by the clock."""
    started_s = time.perf_counter()
    stack.voxmill("submit", book, "--output", "s3://voxmill/out", "--seed", seed, "--wait")
    return time.perf_counter() - started_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, up(N_WORKERS) as stack:
        book, short = Path(folder) / "book.md", Path(folder) / "short.md"
        prose.write_book(book, minutes=chosen.minutes, seed=7)
        prose.write_book(short, minutes=1.0, seed=8, chapters=1)
        queued(stack, short, seed=1)
        rounds = [_round(stack, book, seed) for seed in range(100, 100 + chosen.rounds)]
    table.show("the same book, seconds by the clock", rounds)
    overhead = median(each["overhead"] for each in rounds)
    print(f"\noverhead of the queue, median of {len(rounds)}: {overhead:.1%} (goal: {GOAL:.0%})")
    print(table.save("queue_overhead", {"rounds": rounds, "overhead": overhead, "goal": GOAL}))


def _round(stack: Stack, book: Path, seed: int) -> dict[str, Any]:
    render_s, loading_s = rendered(book, seed)
    queue_s = queued(stack, book, seed)
    # Each of its processes loads the models while the others do the same.
    warm_s = render_s - loading_s / N_WORKERS
    return {
        "render_s": render_s,
        "render_without_loading_s": warm_s,
        "queue_s": queue_s,
        "overhead": queue_s / render_s - 1,
        "overhead_without_loading": queue_s / warm_s - 1,
    }


if __name__ == "__main__":
    main()
