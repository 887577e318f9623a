from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from queued_book import QueuedBook, prepared, submitted

from pipeline import names
from pipeline.errors import RequestError, StoreUnavailableError
from pipeline.jobs import ending, removing, retrying
from pipeline.manifest.result import Result
from pipeline.store.local import LocalStore
from producer.queue import watching
from producer.queue.watching import PAUSE_S, Away, Moved, watch


class Flaky(LocalStore):
    """A store that is away while it is told to be, and counts what is asked of it."""

    is_away = False
    silent_s = 0.0

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: list[str] = []
        self.listed = 0

    def get(self, name: str) -> bytes | None:
        self.read.append(name)
        return super().get(name)

    def names(self, prefix: str) -> Iterator[str]:
        if self.is_away:
            raise StoreUnavailableError("The store does not answer.")
        time.sleep(self.silent_s)
        self.listed += 1
        return super().names(prefix)


@pytest.fixture
def store(tmp_path: Path) -> Flaky:
    return Flaky(tmp_path / "store")


@pytest.fixture
def book(tmp_path: Path, store: Flaky) -> QueuedBook:
    return submitted(prepared(tmp_path), store)


def succeeded(book: QueuedBook) -> Result:
    return ending.decide(
        book.request.id,
        book.tree.round,
        Result(
            state="succeeded",
            outputs=(),
            n_chunks=book.request.n_chunks,
            n_flagged=0,
            duration_s=1.0,
            finished_s=1.0,
        ),
        book.store,
    )


def play(*acts: Callable[[], object]) -> Callable[[float], None]:
    """Return a `sleep` during which one thing happens after the other."""
    left = iter(acts)

    def sleep(_: float) -> None:
        next(left)()

    return sleep


def nothing() -> None:
    pass


def moves(told: list[Moved | Away]) -> list[tuple[str, int]]:
    return [(each.state, each.progress.n_done) for each in told if isinstance(each, Moved)]


def test_a_job_is_followed_from_the_queue_to_its_end(book: QueuedBook) -> None:
    told: list[Moved | Away] = []
    acts = play(
        nothing,
        lambda: book.work(["0000"]),
        book.work,
        lambda: succeeded(book),
    )
    assert watch([book.request], book.root, told.append, acts) == ["succeeded"]
    n = book.request.n_chunks
    assert moves(told) == [("queued", 0), ("running", 2), ("finishing", n), ("succeeded", n)]
    last = told[-1]
    assert isinstance(last, Moved)
    assert last.result
    assert last.progress.audio_s > 0


def test_speed_and_time_left_come_from_what_was_done_while_watching(book: QueuedBook) -> None:
    book.work(["0000"])
    told: list[Moved | Away] = []
    watch(
        [book.request],
        book.root,
        told.append,
        play(lambda: book.work(["0001"]), book.work, lambda: succeeded(book)),
    )
    first, second, third, _ = (each for each in told if isinstance(each, Moved))
    assert (first.speed.chunks_per_s, first.speed.left_s) == (0.0, None)
    assert second.speed.chunks_per_s > 0
    assert second.speed.audio_per_s > 0
    assert second.speed.left_s
    assert third.speed.left_s == 0.0


def test_a_look_is_one_listing_and_each_receipt_is_read_once(
    book: QueuedBook, store: Flaky
) -> None:
    book.work()
    store.read, store.listed = [], 0
    watch([book.request], book.root, lambda _: None, play(*[nothing] * 5, lambda: succeeded(book)))
    receipts = [name for name in store.read if "/done/" in name]
    assert sorted(receipts) == [names.done(book.request.id, each) for each in book.tree.shards]
    assert len(store.read) == len(receipts) + 1  # and the result
    assert store.listed == 7 + 2  # seven looks; deciding and this test list once each


def test_a_store_that_is_away_is_asked_again(book: QueuedBook, store: Flaky) -> None:
    told: list[Moved | Away] = []

    def away(is_away: bool) -> Callable[[], None]:
        return lambda: setattr(store, "is_away", is_away)

    acts = play(away(True), nothing, away(False), lambda: succeeded(book))
    assert watch([book.request], book.root, told.append, acts) == ["succeeded"]
    assert Away("The store does not answer.") in told


def test_a_store_that_says_nothing_at_all_is_waited_for_and_told_of(
    book: QueuedBook, store: Flaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE_S", 0.05)
    store.silent_s = 0.2
    succeeded(book)
    told: list[Moved | Away] = []
    assert watch([book.request], book.root, told.append) == ["succeeded"]
    assert isinstance(told[0], Away)
    assert "has not answered" in told[0].detail
    assert isinstance(told[-1], Moved)


def test_progress_never_goes_back(book: QueuedBook, store: Flaky) -> None:
    told: list[Moved | Away] = []
    acts = play(
        book.work,
        lambda: store.delete(names.done(book.request.id, "0000")),  # damaged: made again
        book.work,
        lambda: succeeded(book),
    )
    watch([book.request], book.root, told.append, acts)
    done = [n_done for _, n_done in moves(told)]
    assert done == sorted(done)


def test_a_job_is_looked_at_more_often_when_its_end_is_near(book: QueuedBook) -> None:
    slept: list[float] = []
    acts = play(lambda: book.work(["0000"]), book.work, lambda: succeeded(book))

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        acts(seconds)

    watch([book.request], book.root, lambda _: None, sleep)
    assert slept == [PAUSE_S["queued"], PAUSE_S["running"], PAUSE_S["finishing"]]
    assert PAUSE_S["finishing"] < PAUSE_S["running"]


def test_several_jobs_are_watched_until_the_last_has_ended(tmp_path: Path, store: Flaky) -> None:
    job = prepared(tmp_path)
    first, second = (submitted(job, store, id=name) for name in ("one", "two"))
    acts = play(
        lambda: succeeded(second),
        lambda: ending.decide("one", 0, ending.cancelled(first.request), store),
    )
    requests = [first.request, second.request]
    assert watch(requests, store, lambda _: None, acts) == ["cancelled", "succeeded"]


def test_a_retry_is_watched_like_a_job(book: QueuedBook) -> None:
    book.work(["0000"])
    ending.decide(book.request.id, 0, ending.cancelled(book.request), book.store)
    retrying.retry(book.request, book.root)
    told: list[Moved | Away] = []
    acts = play(book.work, lambda: succeeded(book))
    assert watch([book.request], book.root, told.append, acts) == ["succeeded"]
    assert moves(told)[0] == ("queued", 2)
    assert moves(told)[-1] == ("succeeded", book.request.n_chunks)


def test_a_job_that_is_removed_meanwhile_is_no_endless_wait(book: QueuedBook) -> None:
    def remove() -> None:
        ending.decide(book.request.id, 0, ending.cancelled(book.request), book.store)
        removing.remove(book.request, book.root, None)

    with pytest.raises(RequestError, match="was removed"):
        watch([book.request], book.root, lambda _: None, play(remove))
