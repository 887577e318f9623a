"""Messages that come more than once, clocks that are wrong, two of everything."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from farm import Farm, farming, text
from recovery import record


@pytest.mark.parametrize("n_copies", [2, 10])
def test_every_chunk_is_spoken_once_however_often_a_message_is_delivered(
    n_copies: int, tmp_path: Path
) -> None:
    with farming(tmp_path, 3, environment={"CHAOS_COPIES": str(n_copies)}) as farm:
        farm.start()
        job = farm.submit(text(24), cost_s=0.1)
        farm.await_end(job)
        farm.require_invariants(job)
        spoken = Counter(each.text for each in farm.log())
    record(f"every message {n_copies} times", rework_chunks=spoken.total() - len(spoken))
    assert len(spoken) == job.request.n_chunks
    assert set(spoken.values()) == {1}


def test_two_reconcilers_and_two_planners_start_a_job_once(farm: Farm) -> None:
    if len(farm.reconcilers) < 2:
        farm.reconciler().start()
    said = text(24, "two")

    def submit(_: int) -> str:
        return farm.submit(said, cost_s=0.1, job_id="twice").id

    with ThreadPoolExecutor(2) as planners:
        assert set(planners.map(submit, range(2))) == {"twice"}
    job = farm.submit(said, cost_s=0.1, job_id="twice")
    farm.await_end(job)
    farm.require_invariants(job)
    assert len(farm.log(said)) == job.request.n_chunks


@pytest.mark.chaos
@pytest.mark.parametrize("shift_s", [3600, -3600])
def test_a_worker_whose_clock_is_an_hour_off_takes_nothing_from_others(
    shift_s: int, farm: Farm
) -> None:
    wrong = farm.workers[0]
    wrong.kill()
    wrong.environment = {**farm.environment, "CHAOS_CLOCK_S": str(shift_s)}
    farm.start()
    job = farm.submit(text(24, f"clock{shift_s}"), cost_s=0.1)
    farm.await_end(job)
    farm.require_invariants(job)
    spoken = farm.log(job.text)
    assert len(spoken) == job.request.n_chunks
    assert any(abs(each.at_s - spoken[0].at_s) > 3000 for each in spoken), "both have worked"
