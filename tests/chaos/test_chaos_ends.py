"""How jobs end, and begin, when many want to decide it at once."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from farm import SHARD, Farm, farming, text
from queued_book import OPTIONS as SMALL
from queued_book import go_on, prepared, submitted, unheard
from recovery import record
from servers import eventually

from pipeline.errors import ConflictError
from pipeline.jobs import finishing
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from producer.queue import acting
from producer.queue.submitting import Submitter


def test_of_finalizers_that_are_asked_ten_times_one_may_die_between_upload_and_result(
    tmp_path: Path,
) -> None:
    told = tmp_path / "killed"
    deadly = {
        "CHAOS_COPIES": "10",
        "CHAOS_KILL": r"/manifest\.json$",
        "CHAOS_KILLED": str(told),
        "CHAOS_KILL_PARENT": "1",
    }
    with farming(tmp_path, environment=deadly) as farm:
        farm.worker(queues="finalize")
        farm.start()
        job = farm.submit(text(8))
        eventually(told.exists, 60, 0.01)
        at_s = time.time()
        result = farm.await_end(job)
        farm.require_invariants(job)
        assert [each.is_running for each in farm.finalizers].count(False) == 1
        assert result.finished_s
        record("finalizer killed after upload", recovery_s=result.finished_s - at_s)


def test_a_cancel_that_races_the_finish_two_hundred_times_never_tears_a_job(
    tmp_path: Path,
) -> None:
    root, out = LocalStore(tmp_path / "store"), tmp_path / "out"
    job = prepared(tmp_path, SMALL, "# One\n\nThe lamp was lit.\n")
    settings = Settings(store_url=str(root.root))
    states: Counter[str] = Counter()
    took_s = 0.5
    for i in range(200):
        book = submitted(job, root, str(out), id=f"race-{i}")
        book.work()
        delay_s = random.Random(i).uniform(0, 1.2 * took_s)
        with ThreadPoolExecutor(2) as racers:
            started_s = time.monotonic()
            finished = racers.submit(
                finishing.finish, book.request, root, LocalStore(out), tmp_path / "scratch",
                unheard, go_on,
            )  # fmt: skip
            time.sleep(delay_s)
            cancelled = racers.submit(acting.cancel, book.request, root, settings).result()
            standing = finished.result()
            took_s = 0.9 * took_s + 0.1 * (time.monotonic() - started_s)
        assert standing == cancelled == book.result, "all were told the same"
        files = [path for path in (out / f"race-{i}").rglob("*") if path.is_file()]
        assert bool(files) == (standing.state == "succeeded")
        states[standing.state] += 1
        shutil.rmtree(out, ignore_errors=True)
    record("cancel raced against finish 200 times", **states)
    assert set(states) == {"succeeded", "cancelled"}
    assert min(states.values()) > 10, "it was no race"


def test_a_hundred_submits_at_once_with_one_id_are_one_job(farm: Farm) -> None:
    texts = [text(8, "first"), text(8, "second")]
    wanted = [farm.wish(said, job_id="hundred") for said in texts]
    together = threading.Barrier(100)

    def submit(i: int) -> str:
        submitter = Submitter(farm.settings, farm.store)
        together.wait()
        try:
            return submitter.submit(wanted[i % 2]).request.body.render.title
        except ConflictError:
            return "conflict"

    with ThreadPoolExecutor(100) as clients:
        answers = Counter(clients.map(submit, range(100)))
    assert sorted(answers.values()) == [50, 50], answers
    (title,) = answers.keys() - {"conflict"}
    (won,) = [each for each in texts if title in each]
    job = farm.submit(won, job_id="hundred")
    farm.await_end(job)
    farm.require_invariants(job)
    assert len(farm.log(job.text)) == job.request.n_chunks
    assert job.request.n_chunks > SHARD
