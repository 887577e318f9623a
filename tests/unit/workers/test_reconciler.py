"""The loop that makes up for everything that can be lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from queued_book import prepared, submitted
from queued_farm import Farm, Posted

from pipeline import names
from pipeline.jobs import ending
from workers import app as apps
from workers import metrics
from workers.ledger import connect
from workers.reconciler import Reconciler


@pytest.fixture
def reconciler(farm: Farm, redis_url: SecretStr) -> Reconciler:
    """A reconciler whose broker holds no message at all."""
    settings = farm.context.settings.model_copy(update={"redis_url": redis_url, "slack_s": 0.001})
    posted: Any = farm.posted
    posted.app = apps.create(settings)
    return Reconciler(replace(farm.context, settings=settings))


def test_a_job_that_nobody_told_of_is_found_and_published(
    farm: Farm, reconciler: Reconciler
) -> None:
    reconciler.once(set())

    assert farm.posted.waiting == [("synth", shard) for shard in farm.book.tree.left()]


def test_a_message_that_was_lost_is_published_again(farm: Farm, reconciler: Reconciler) -> None:
    reconciler.once(set())
    n_shards = len(farm.book.tree.left())
    farm.posted.messages.clear()

    reconciler.once(set())

    assert len(farm.posted.messages) == n_shards
    farm.work_off()
    assert farm.book.result
    assert {number for _, _, number in farm.attempts} == {1}, "a lost message is no attempt"


def test_what_a_living_worker_is_at_is_left_to_it(farm: Farm, reconciler: Reconciler) -> None:
    farm.start()
    farm.posted.messages.clear()
    ledger = farm.context.ledger
    for shard in farm.book.tree.left():
        assert ledger.begin("synth", farm.item(shard), "normal", ledger.now(), "busy", 60.0)

    reconciler.once(set())

    assert not farm.posted.messages


def test_what_was_put_off_is_published_when_it_is_time(farm: Farm, reconciler: Reconciler) -> None:
    farm.book.work()
    farm.tend()
    farm.errors = [RuntimeError("odd")]
    farm.deliver("finalize")
    farm.posted.messages.clear()
    reconciler.once(set())
    assert not farm.posted.messages, "not yet"

    farm.context.ledger.later(farm.item(""), "finalize", 0.0)
    reconciler.once(set())

    assert farm.posted.waiting == [("finalize", "")]


def test_any_number_of_reconcilers_at_once_publish_no_shard_twice(
    farm: Farm, reconciler: Reconciler
) -> None:
    settings = reconciler.context.settings.model_copy(update={"slack_s": 60.0})
    others, posts = [], []
    for _ in range(4):
        ledger = connect(settings.redis_url)
        posted: Any = Posted(ledger)
        posted.app = apps.create(settings)
        posts.append(posted)
        context = replace(farm.context, settings=settings, ledger=ledger, sender=posted)
        others.append(Reconciler(context))
    threads = [threading.Thread(target=each.once, args=(set(),)) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in others:
        each.context.ledger.redis.close()

    published = [message for posted in posts for message in posted.waiting]
    assert sorted(published) == [("synth", shard) for shard in farm.book.tree.left()]


def test_one_job_that_cannot_be_read_does_not_hold_up_another(
    farm: Farm, reconciler: Reconciler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = farm.context.root
    submitted(prepared(tmp_path), root, str(tmp_path / "out"), id="a-damaged")
    root.put(names.request("a-damaged"), b"{")
    submitted(prepared(tmp_path), root, str(tmp_path / "out"), id="a-newer")
    data = root.get(names.request("a-newer"))
    assert data
    root.put(names.request("a-newer"), data.replace(b'"version": 1', b'"version": 2', 1))
    root.put_new(f"{names.ACTIVE}/no job's name", b"")

    reconciler.once(set())

    assert {message.job for _, message in farm.posted.messages} == {"book-1"}
    assert "a-damaged cannot be read" in caplog.text
    assert "a-newer must wait: A newer release of Voxmill wrote this JobRequest" in caplog.text
    assert len(list(root.names(names.ACTIVE))) == 4, "nothing of theirs is touched"


def test_a_job_that_was_cancelled_is_closed_by_the_next_round(
    farm: Farm, reconciler: Reconciler
) -> None:
    farm.start()
    ending.decide(farm.ref.id, 0, ending.cancelled(farm.book.request), farm.book.store)

    reconciler.once({farm.ref})

    assert not list(farm.context.root.names(names.ACTIVE))
    assert farm.context.ledger.knows([farm.ref]) == set()


def test_a_round_shows_what_is_under_way(farm: Farm, reconciler: Reconciler) -> None:
    farm.posted.window = 2
    reconciler.once(set())

    assert metrics.active_jobs._value.get() == 1
    assert metrics.pending_shards._value.get() == len(farm.book.tree.left()) - 2
    assert metrics.queue_depth.labels("synth")._value.get() == 2
