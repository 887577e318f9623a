"""Half of the workers killed again and again, and a worker whose disk is full."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from farm import Farm, farming, text
from recovery import record
from servers import Child, eventually

N_WORKERS = 4
COST_S = 0.5
KILLED_EVERY_S = 20.0
#: Undisturbed work that the rest is measured against.
CALM_S = 30.0
MIN_THROUGHPUT, MAX_REWORK = 0.85, 0.05


class Presence:
    """How long workers were ready for work, added up over all."""

    def __init__(self, farm: Farm) -> None:
        self._farm, self._stopping = farm, threading.Event()
        self.ready_s = 0.0
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Presence:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        before_s = time.monotonic()
        while not self._stopping.wait(0.1):
            now_s = time.monotonic()
            self.ready_s += (now_s - before_s) * sum(map(self._is_ready, self._farm.workers))
            before_s = now_s

    def _is_ready(self, worker: Child) -> bool:
        try:
            return self._farm.is_ready(worker)
        except AssertionError:  # it is dead
            return False


@pytest.mark.chaos
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("duration_s", [60, 600])
def test_what_is_left_of_a_farm_works_on_while_half_of_it_is_killed(
    duration_s: int, tmp_path: Path
) -> None:
    dice = random.Random(16)
    n_chunks = int(N_WORKERS * (duration_s + CALM_S) / COST_S)
    # A book of hours is not put together in the time that a farm's finalizer has for a short one.
    patience = {"VOXMILL_FINALIZE_TIME_LIMIT_S": str(60 + duration_s)}
    with farming(tmp_path, N_WORKERS, environment=patience) as farm:
        farm.start()
        job = farm.submit(brief(n_chunks), cost_s=COST_S)
        farm.await_begun(job, 20)
        calm, _ = rate(farm, lambda: time.sleep(CALM_S))
        stormy, rework = rate(farm, lambda: keep_killing(farm, dice, duration_s))
        farm.start()
        farm.await_end(job, 4 * (CALM_S + duration_s))
        farm.require_invariants(job)
    record(
        f"half of the workers killed every 20 s for {duration_s} s",
        throughput_share=stormy / calm,
        rework_share=rework,
    )
    assert stormy >= MIN_THROUGHPUT * calm
    assert rework <= MAX_REWORK


def brief(n_chunks: int) -> str:
    """Return a text whose chunks are aligned in no time: what they cost is the engine's sleep."""
    return "\n\n".join(["# The river", *(f"Tale {i} of the river." for i in range(n_chunks))])


def rate(farm: Farm, meanwhile: Callable[[], object]) -> tuple[float, float]:
    """Return how many new chunks a ready worker begins a second, and the share begun again."""
    before = Counter(each.text for each in farm.log())
    with Presence(farm) as presence:
        meanwhile()
    after = Counter(each.text for each in farm.log())
    n_new = len(after) - len(before)
    return n_new / presence.ready_s, (after.total() - before.total() - n_new) / n_new


def keep_killing(farm: Farm, dice: random.Random, for_s: float) -> None:
    """Kill half of the workers at an interval; each is started again at once."""
    until_s = time.monotonic() + for_s
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(KILLED_EVERY_S, left_s))
        for worker in dice.sample(farm.workers, len(farm.workers) // 2):
            worker.kill()
            worker.start()


#: A disk of a worker's own, with room for next to nothing.
SMALL_DISK = 'mount -t tmpfs -o size=64k none "$VOXMILL_SCRATCH_DIR" && exec "$@"'


@pytest.mark.chaos
def test_a_book_waits_for_a_finalizer_whose_disk_is_not_full(tmp_path: Path) -> None:
    assert shutil.which("unshare"), "needs a kernel with mount namespaces: Linux"
    scratch = tmp_path / "small"
    scratch.mkdir()
    with farming(tmp_path) as farm:
        full = farm.finalizers[0]
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        full.command = ["unshare", "--mount", *as_root, "sh", "-c", SMALL_DISK, "sh", *full.command]
        full.environment = {**farm.environment, "VOXMILL_SCRATCH_DIR": str(scratch)}
        farm.start()
        job = farm.submit(text(60))
        refused = eventually(
            lambda: [each for each in farm.tree(job).failures if each.stage == "finalize"], 60
        )
        assert refused
        time.sleep(8)  # it goes on refusing
        assert not farm.result(job)
        at_s = time.time()
        farm.worker(queues="finalize").start()
        full.kill()
        result = farm.await_end(job, 120)
        farm.require_invariants(job)
        assert result.finished_s
        record("disk of a finalizer full", recovery_s=result.finished_s - at_s)
