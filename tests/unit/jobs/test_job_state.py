from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.jobs import state
from pipeline.jobs.state import Tally, state_of
from pipeline.jobs.tree import Attempt, JobTree
from pipeline.manifest.job import JobRequest, Round
from pipeline.manifest.marks import Marks, Verdict
from pipeline.manifest.result import Result
from pipeline.manifest.shard import ChunkReceipt, ShardReceipt

TREE = JobTree(
    shards=("0000", "0001"),
    splits=frozenset(),
    done=frozenset(),
    failures=(),
    rounds=(),
    results=frozenset(),
    is_planned=True,
)
TWO = Tally(n_chunks=2, n_flagged=0, n_failed=0, audio_s=3.0)


def request(n_chunks: int) -> JobRequest:
    """A request of which only the number of chunks matters."""
    return JobRequest.model_construct(n_chunks=n_chunks)


def ended(name: Any) -> Result:
    return Result(
        state=name, outputs=(), n_chunks=4, n_flagged=0, duration_s=0.0, reason=None, finished_s=1.0
    )


def receipt(shard: str, *chunks: tuple[int, bool, str | None]) -> ShardReceipt:
    """A receipt of (index, passed, failure) of each chunk, each of one second."""
    return ShardReceipt(
        shard=shard,
        chunks=tuple(
            ChunkReceipt(index=index, n_takes=1, marks=_marks(passed=passed), failure=failure)
            for index, passed, failure in chunks
        ),
        worker="w",
        finished_s=1.0,
    )


def _marks(*, passed: bool) -> Marks:
    return Marks(
        key="k",
        audio_sha256="a",
        sample_rate_hz=100,
        n_samples=100,
        speech_start=0,
        speech_end=100,
        words=(),
        verdict=Verdict(passed=passed, score=1.0, method="none"),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_planned": False, "shards": ()}, "queued"),
        ({}, "queued"),
        ({"failures": (Attempt("0000", "synth", 1),)}, "running"),
        ({"done": frozenset({"0000"})}, "running"),
        ({"done": frozenset({"0000", "0001"})}, "finishing"),
        ({"splits": frozenset({"0001"}), "done": frozenset({"0000", "0001a"})}, "running"),
        (
            {"splits": frozenset({"0001"}), "done": frozenset({"0000", "0001a", "0001b"})},
            "finishing",
        ),
    ],
)
def test_the_state_follows_from_what_there_is(changes: dict[str, Any], expected: str) -> None:
    assert state_of(replace(TREE, **changes), None) == expected


@pytest.mark.parametrize("name", sorted(state.ENDED))
def test_a_decision_overrides_all_else(name: str) -> None:
    assert state_of(replace(TREE, results=frozenset({0})), ended(name)) == name


def test_a_retry_is_queued_until_something_of_it_is_done() -> None:
    done = frozenset({"0000", "0001"})
    begun = replace(TREE, rounds=(1,), shards=("0000", "0001", "r1-0000"), done=done)
    assert state_of(begun, None) == "queued"
    failed = replace(begun, failures=(Attempt("0000", "synth", 1),))
    assert state_of(failed, None) == "queued"  # that was the round before
    failed = replace(begun, failures=(Attempt("r1-0000", "synth", 1),))
    assert state_of(failed, None) == "running"
    assert state_of(replace(begun, done=done | {"r1-0000"}), None) == "finishing"


def test_progress_adds_up_the_receipts() -> None:
    found = replace(TREE, done=frozenset({"0000"}))
    one = Tally(n_chunks=3, n_flagged=1, n_failed=1, audio_s=4.5)
    progress = state.progress(request(5), found, None, {"0000": one})
    assert (progress.n_done, progress.n_chunks) == (3, 5)
    assert (progress.n_flagged, progress.n_failed, progress.audio_s) == (1, 1, 4.5)


def test_a_shard_that_was_halved_and_finished_anyway_is_counted_once() -> None:
    found = replace(TREE, splits=frozenset({"0000"}), done=frozenset({"0000", "0000a"}))
    tallies = {"0000": TWO, "0000a": replace(TWO, n_chunks=1)}
    assert state.progress(request(4), found, None, tallies).n_done == 2


def test_a_retry_begins_with_what_had_passed() -> None:
    found = replace(TREE, rounds=(1,), shards=("0000", "0001", "r1-0000"))
    round_ = Round(number=1, created_s=0, chunks=(1, 3))
    tallies = {"0000": TWO, "0001": TWO}
    assert state.progress(request(4), found, round_, tallies).n_done == 2
    found = replace(found, done=frozenset({"0000", "0001", "r1-0000"}))
    assert state.progress(request(4), found, round_, {**tallies, "r1-0000": TWO}).n_done == 4


def test_the_share_needs_no_receipt_read() -> None:
    assert state.share(TREE) == 0.0
    assert state.share(replace(TREE, done=frozenset({"0000"}))) == 0.5
    assert state.share(replace(TREE, shards=())) == 1.0


def test_a_receipt_is_tallied_by_what_became_of_its_chunks() -> None:
    tally = state.tally(receipt("0000", (0, True, None), (1, False, None), (2, False, "died")))
    assert tally == Tally(n_chunks=3, n_flagged=1, n_failed=1, audio_s=3.0)


def test_the_latest_round_has_the_last_word_unless_it_could_make_nothing() -> None:
    first = receipt("0000", (0, False, None), (1, False, None))
    second = receipt("r1-0000", (0, True, None), (1, False, "died"))
    latest = state.latest([second, first])
    assert latest[0][0] == "r1-0000"
    assert latest[0][1].outcome == "passed"
    assert latest[1][0] == "0000"
    assert latest[1][1].outcome == "flagged"
