"""Workers killed, frozen and restarted while they work."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from farm import SHARD, Farm, Job, text
from recovery import Fault, fault, record
from servers import Child, eventually

#: What a chunk costs an engine: long enough to be killed in the middle of it.
COST_S = 0.15
N_CHUNKS = 16


def submit(farm: Farm, name: str) -> Job:
    return farm.submit(text(N_CHUNKS, name), cost_s=COST_S)


def holder(farm: Farm, pid: int) -> Child:
    """Return the worker that a pool child belongs to."""
    return next(each for each in farm.workers if each.is_running and pid in each.children())


def rework(farm: Farm, job: Job) -> int:
    """Return how many chunks were begun in vain."""
    begun = farm.log(job.text)
    assert len({each.text for each in begun}) == job.request.n_chunks
    return len(begun) - job.request.n_chunks


def arm(farm: Farm, pattern: str, *, is_whole: bool = False) -> Path:
    """Have one worker killed when it has written such an object; return what tells of it."""
    told = farm.folder / f"killed-{time.monotonic_ns()}"
    for worker in farm.workers:
        if worker.is_running:
            worker.kill()
        worker.environment = {
            **farm.environment,
            "CHAOS_KILL": pattern,
            "CHAOS_KILLED": str(told),
            "CHAOS_KILL_PARENT": "1" if is_whole else "",
        }
    farm.start()
    return told


def recovered(farm: Farm, job: Job, hit: Fault, scenario: str) -> None:
    farm.await_end(job)
    farm.require_invariants(job)
    record(scenario, recovery_s=hit.recovered_s(), rework_chunks=rework(farm, job))


@pytest.mark.parametrize("is_whole", [False, True], ids=["child", "worker"])
def test_a_book_is_whole_though_a_process_is_killed_in_the_middle_of_a_chunk(
    is_whole: bool, farm: Farm
) -> None:
    job = submit(farm, f"mill{is_whole:d}")
    farm.await_begun(job, 3)
    hit, pid = fault(farm, job), farm.log(job.text)[-1].pid
    if is_whole:
        holder(farm, pid).kill()
    else:
        os.kill(pid, signal.SIGKILL)
    recovered(farm, job, hit, f"{'worker' if is_whole else 'child'} killed in a chunk")
    assert rework(farm, job) <= SHARD


CHUNK, RECEIPT = (r"^chunks/.*\.flac$", "chunk"), (r"^jobs/.*/done/", "receipt")


@pytest.mark.parametrize(
    ("is_whole", "pattern", "point"),
    [
        pytest.param(False, *CHUNK, id="child-chunk"),
        pytest.param(True, *RECEIPT, id="worker-receipt"),
        pytest.param(True, *CHUNK, id="worker-chunk", marks=pytest.mark.chaos),
        pytest.param(False, *RECEIPT, id="child-receipt", marks=pytest.mark.chaos),
    ],
)
def test_a_book_is_whole_though_a_process_is_killed_right_after_it_has_stored(
    is_whole: bool, pattern: str, point: str, farm: Farm
) -> None:
    told = arm(farm, pattern, is_whole=is_whole)
    job = submit(farm, f"weir{is_whole:d}{point}")
    eventually(told.exists, 60, 0.01)
    hit = fault(farm, job)
    who = "worker" if is_whole else "child"
    recovered(farm, job, hit, f"{who} killed after the {point} was stored")
    assert rework(farm, job) <= SHARD


def test_messages_that_a_frozen_worker_took_to_its_grave_are_sent_again(farm: Farm) -> None:
    for worker in farm.workers:
        worker.pause()
    job = submit(farm, "ford")
    eventually(lambda: farm.redis.client.hlen("voxmill:1:care:synth"), 30)
    eventually(lambda: not farm.redis.client.llen("voxmill.1.synth"), 30)
    for worker in farm.workers:
        worker.kill()
    at_s = time.time()
    farm.start()
    ready_s = time.time() - at_s
    farm.await_end(job)
    farm.require_invariants(job)
    first_s = min(each.at_s for each in farm.log(job.text)) - at_s
    record("idle worker frozen, then killed", recovery_s=first_s, until_workers_are_up_s=ready_s)
    assert rework(farm, job) == 0


@pytest.mark.chaos
def test_a_worker_that_was_frozen_past_its_lease_and_its_message_does_no_harm(farm: Farm) -> None:
    for worker in farm.workers:
        worker.kill()
        worker.environment = {**farm.environment, "CHAOS_REDELIVERED_S": "5"}
    farm.start()
    job = submit(farm, "lock")
    farm.await_begun(job, 3)
    hit, frozen = fault(farm, job), holder(farm, farm.log(job.text)[-1].pid)
    frozen.pause()
    time.sleep(9)
    frozen.resume()
    recovered(farm, job, hit, "worker frozen past lease and visibility timeout")
    assert rework(farm, job) <= SHARD


@pytest.mark.parametrize(("grace_s", "within_s", "in_vain"), [(60, 9, 0), (2, 5, SHARD)])
def test_a_worker_that_is_told_to_stop_ends_with_its_shard_or_gives_it_back_in_time(
    grace_s: int, within_s: float, in_vain: int, farm: Farm
) -> None:
    worker = farm.workers[0]
    worker.kill()
    worker.environment = {**farm.environment, "VOXMILL_GRACE_S": str(grace_s)}
    farm.start()
    job = farm.submit(text(4 * SHARD, f"mole {grace_s}"), cost_s=1.5)
    eventually(lambda: any(each.pid in worker.children() for each in farm.log(job.text)), 60)
    told_s = time.monotonic()
    worker.terminate()
    worker.wait(30)
    stopped_s = time.monotonic() - told_s
    farm.await_end(job, 120)
    farm.require_invariants(job)
    record(f"SIGTERM, {grace_s} s of grace", stopped_s=stopped_s, rework_chunks=rework(farm, job))
    assert stopped_s < within_s
    assert rework(farm, job) <= in_vain


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_a_worker_that_is_told_to_stop_again_and_again_loses_nothing(farm: Farm) -> None:
    job = farm.submit(text(250, "dam"), cost_s=COST_S)
    farm.await_begun(job)
    for i in range(20):
        worker = farm.workers[i % len(farm.workers)]
        worker.terminate()
        worker.wait(30)
        worker.start()
        eventually(lambda worker=worker: farm.is_ready(worker), 60)
        if farm.result(job):
            break
    assert i >= 10, "the book was too short"
    farm.await_end(job, 200)
    farm.require_invariants(job)
    record("SIGTERM x 20", rework_chunks=rework(farm, job), times=i + 1)
    assert rework(farm, job) == 0


@pytest.mark.chaos
def test_workers_can_be_replaced_one_by_one_while_a_job_runs(farm: Farm) -> None:
    job = farm.submit(text(80, "bridge"), cost_s=COST_S)
    farm.await_begun(job)
    for child in (*farm.workers, *farm.finalizers, *farm.reconcilers):
        child.terminate()
        child.wait(30)
        child.start()
        farm.await_workers()
    farm.await_end(job, 120)
    farm.require_invariants(job)
    record("rolling restart", rework_chunks=rework(farm, job))
    assert rework(farm, job) == 0
