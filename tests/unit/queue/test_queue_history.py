from __future__ import annotations

import json
from pathlib import Path

from queued_book import prepared, submitted

from pipeline import names
from pipeline.jobs import ending, retrying
from pipeline.manifest.ref import JobRef
from pipeline.manifest.shard import Failure
from pipeline.store.local import LocalStore
from producer.queue import history, looking


def test_the_store_tells_who_did_what_when_and_what_went_wrong(tmp_path: Path) -> None:
    book = submitted(prepared(tmp_path), LocalStore(tmp_path / "store"))
    failure = Failure(
        stage="synth",
        shard="0001",
        attempt=2,
        worker="gpu-7",
        at_s=1_800_000_010.0,
        kind="Lost",
        detail="the process died",
        action="split",
    )
    book.store.put_new(names.failure("book-1", "0001", "synth", 1), failure.encode())
    book.work(["0000"])
    ending.decide("book-1", 0, ending.cancelled(book.request, "enough"), book.store)
    retrying.retry(book.request, book.root)
    told = history.of_store(book.request, book.root)
    assert [each.at_s for each in told] == sorted(each.at_s for each in told)
    by_text = {each.text: each.who for each in told}
    assert (
        by_text[
            "synth of 0001, attempt 2, came to nothing: Lost: the process died (tried in halves)"
        ]
        == "gpu-7"
    )
    assert any(text.startswith("shard 0000 done: 2 chunks, ") for text in by_text)
    assert "cancelled: enough" in by_text
    assert any(text.startswith("retry 1: ") for text in by_text)


def test_a_stacks_logs_are_searched_for_lines_about_the_job_only(tmp_path: Path) -> None:
    logs = tmp_path / history.LOGS
    logs.mkdir()
    lines = [
        {"time": "2026-11-25T08:00:02+00:00", "message": "second", "job": "a", "stage": "synth"},
        {"time": "2026-11-25T08:00:01+00:00", "message": "first", "job": "a"},
        {"time": "2026-11-25T08:00:03+00:00", "message": "about a", "job": "ab"},
        {"time": "2026-11-25T08:00:03+00:00", "message": "another tenant's", "job": "t:a"},
        {"message": "no time", "job": "a"},
        ["a"],
    ]
    text = "\n".join(["not JSON at all", *map(json.dumps, lines), '{"job": "a", "ti'])
    (logs / "worker-1.log").write_text(text, encoding="utf-8")
    (logs / "redis.log").write_bytes(b"\xff\xfe a\n")
    told = history.of_stack(JobRef("", "a"), tmp_path)
    assert [(each.who, each.text) for each in told] == [
        ("worker-1", "first"),
        ("worker-1", "second [synth]"),
    ]


def test_a_job_that_was_never_wholly_written_says_so(tmp_path: Path) -> None:
    root = LocalStore(tmp_path / "store")
    book = submitted(prepared(tmp_path), root)
    assert looking.detail(book.request, root).reason is None
    root.delete(names.active("book-1"))
    root.delete(names.plan("book-1"))
    detail = looking.detail(book.request, root)
    assert detail.seen.state == "queued"
    assert detail.reason == "it was never wholly written; submit it again to complete it"
