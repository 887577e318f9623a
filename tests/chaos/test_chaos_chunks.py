"""Chunks that no engine can speak, and engines that run out of memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import faulty
import pytest
from farm import Farm, Job, failed, farming, text

from producer.queue import acting

N_CHUNKS = 24


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm that gives a shard little time."""
    hasty = {"VOXMILL_SHARD_TIME_LIMIT_S": "2"}
    with farming(tmp_path_factory.mktemp("farm"), environment=hasty) as farm:
        yield farm


def worked_off(farm: Farm, name: str, marks: Mapping[int, str]) -> Job:
    job = farm.submit(text(N_CHUNKS, name, marks=marks))
    result = farm.await_end(job, 200)
    farm.require_invariants(job, is_whole=False)
    assert result.state == "partial"
    assert result.n_flagged == len(marks)
    return job


def poisoned(job: Job, mark: str) -> str:
    (line,) = [line for line in job.text.splitlines() if mark in line]
    return line


@pytest.mark.parametrize(
    "marks",
    [
        pytest.param({2: faulty.CRASH, 11: faulty.SILENCE, 17: faulty.ENDLESS}, id="deadly"),
        pytest.param({5: faulty.NAN, 9: faulty.EMPTY, 13: faulty.ERROR}, id="worthless"),
        pytest.param({3: faulty.EXIT, 20: faulty.SEGFAULT}, id="fatal", marks=pytest.mark.chaos),
        pytest.param({1: faulty.HANG, 19: faulty.STUCK}, id="endless", marks=pytest.mark.chaos),
        pytest.param({7: faulty.EXCEPTION}, id="rude", marks=pytest.mark.chaos),
    ],
)
def test_poison_stands_alone_and_a_retry_tries_nothing_else(
    marks: dict[int, str], farm: Farm
) -> None:
    job = worked_off(farm, f"well{next(iter(marks))}", marks)
    bad = {poisoned(job, mark) for mark in marks.values()}
    assert set(failed(farm, job)) <= bad
    begun = [each for each in farm.log(job.text) if each.text not in bad]
    assert len({each.text for each in begun}) == job.request.n_chunks - len(bad)
    retried_s = time.time()
    acting.retry(job.request, farm.store, farm.settings)
    farm.await_end(job, 200)
    farm.require_invariants(job, is_whole=False)
    assert {each.text for each in farm.log(job.text) if each.at_s > retried_s} <= bad


@pytest.mark.parametrize("mark", [faulty.GPU_MEMORY, faulty.MEMORY])
def test_an_engine_that_runs_out_of_memory_goes_on_with_smaller_batches(
    mark: str, farm: Farm
) -> None:
    job = farm.submit(text(16, f"pond{len(mark)}", marks={5: mark}))
    farm.await_end(job)
    farm.require_invariants(job)
    assert len(farm.log(job.text)) == job.request.n_chunks
