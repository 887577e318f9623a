"""Books put together from a folder and from a real S3 server, by one and by many at once."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import soundfile
from conftest import outputs  # type: ignore[attr-defined]
from queued_book import OPTIONS, QueuedBook, go_on, prepared, submitted, unheard

from pipeline import names
from pipeline.assembly import placement
from pipeline.errors import IncompleteError, TransientError
from pipeline.jobs import delivery, ending, finishing, gathering, removing, retrying
from pipeline.manifest.result import Result
from pipeline.run.options import RenderOptions
from pipeline.run.render import render
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from pipeline.store.s3 import S3Store

EVERYTHING = replace(
    OPTIONS,
    profile="audiobook",
    formats=("m4b", "mp3", "flac", "opus", "wav"),
    subtitles=("srt", "vtt", "ass", "json"),
)
CHAPTERS = replace(OPTIONS, profile="acx", formats=("mp3",))
KeepGoing = Callable[[], None]


class CancelledError(TransientError):
    """What a worker raises when nobody wants the book any more."""


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """A store for everything."""
    if request.param == "folder":
        return LocalStore(tmp_path / "place")
    store: ObjectStore = request.getfixturevalue("s3")
    return store


@pytest.fixture
def book(place: ObjectStore, tmp_path: Path) -> QueuedBook:
    """The small book, every chunk settled."""
    return settled(place, tmp_path)


def settled(place: ObjectStore, folder: Path, options: RenderOptions = OPTIONS) -> QueuedBook:
    book = submitted(prepared(folder, options), place.below("queue"), place.place("out"))
    book.work()
    return book


def finish(
    book: QueuedBook, place: ObjectStore, scratch: Path, keep_going: KeepGoing = go_on
) -> Result:
    return finishing.finish(
        book.request, book.root, place.below("out"), scratch, unheard, keep_going
    )


def editions(book: QueuedBook, place: ObjectStore) -> set[str]:
    return {name.split("/")[1] for name in place.below("out").names(book.request.id)}


def delivered(book: QueuedBook, place: ObjectStore) -> dict[str, bytes]:
    """Return every file of the job by its name below the edition; there must be one edition."""
    out = place.below("out")
    assert len(editions(book, place)) == 1
    files = {name.split("/", 2)[2]: out.get(name) for name in out.names(book.request.id)}
    return {name: data for name, data in files.items() if data is not None}


@pytest.mark.parametrize("options", [EVERYTHING, CHAPTERS], ids=["audiobook", "chapters"])
def test_the_files_are_those_that_render_makes_to_the_byte(
    options: RenderOptions, place: ObjectStore, tmp_path: Path
) -> None:
    book = settled(place, tmp_path, options)
    result = finish(book, place, tmp_path / "scratch")
    render(tmp_path / "book.md", tmp_path / "rendered", options, Settings(jobs=1), unheard)
    rendered = {
        name.split("/", 2)[2]: data for name, data in outputs(tmp_path / "rendered").items()
    }
    files = delivered(book, place)
    assert {name for name in files if files[name] != rendered.get(name)} == {"manifest.json"}
    assert rendered.keys() == files.keys() - {"manifest.json"}
    assert {file.name: file.sha256 for file in result.outputs} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }


def test_the_audio_is_as_long_as_its_parts_to_the_sample(
    place: ObjectStore, tmp_path: Path
) -> None:
    book = settled(place, tmp_path)
    finish(book, place, tmp_path / "scratch")
    marks = gathering.gather(book.request, book.tree, book.store).marks
    placed = placement.place(book.job.plan, marks, book.job.profile)
    pieces = sum(each.cut_end - each.cut_start for each in placed.chunks)
    starts = [each.offset for each in placed.chunks] + [placed.n_samples]
    ends = [0] + [each.end for each in placed.chunks]
    gaps = [start - end for start, end in zip(starts, ends, strict=True)]
    assert min(gaps) >= 0
    (flac,) = [data for name, data in delivered(book, place).items() if name.endswith(".flac")]
    (tmp_path / "book.flac").write_bytes(flac)
    assert soundfile.info(tmp_path / "book.flac").frames == pieces + sum(gaps)


@pytest.mark.parametrize("n_finalizers", [2, 10])
def test_many_finalizers_at_once_give_one_result_and_one_edition(
    n_finalizers: int, book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(n_finalizers) as pool:
        running = [
            pool.submit(finish, book, place, tmp_path / "scratch") for _ in range(n_finalizers)
        ]
        results = [each.result() for each in running]
    assert all(result == book.result for result in results)
    assert set(delivered(book, place)) == {file.name for file in results[0].outputs}


def test_finalizers_that_find_the_same_damage_have_it_mended_once(
    book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    book.root.put(names.audio(book.receipt("river").marks.key), b"noise")
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(finish, book, place, tmp_path / "scratch") for _ in range(4)]
        errors = [each.exception() for each in running]
    assert {type(error) for error in errors} == {IncompleteError}
    assert len(book.tree.left()) == 1
    assert len(book.work()) == 1
    assert finish(book, place, tmp_path / "scratch").state == "succeeded"


def in_a_process(
    book: QueuedBook, where: str, settings: Settings, scratch: Path, is_killed: bool
) -> None:
    """Finish a book; killed when it is about to decide, if it is to be."""
    deliver = delivery.deliver

    def deliver_and_die(*arguments: Any) -> None:
        deliver(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    if is_killed:
        delivery.deliver = deliver_and_die  # type: ignore[assignment]
    place = open_store(where, settings)
    root = place.below("queue")
    finish(QueuedBook(book.job, book.request, root), place, scratch)


def started(
    book: QueuedBook, place: ObjectStore, settings: Settings, scratch: Path, *, is_killed: bool
) -> Any:
    where = place.place("x").removesuffix("/x")
    # A store's client cannot travel: the process opens its own.
    travelling = QueuedBook(book.job, book.request, LocalStore(scratch))
    process = multiprocessing.get_context("spawn").Process(
        target=in_a_process, args=(travelling, where, settings, scratch, is_killed)
    )
    process.start()
    return process


@pytest.fixture
def settings(request: pytest.FixtureRequest, place: ObjectStore) -> Settings:
    """What reaches the place from another process."""
    if isinstance(place, S3Store):
        found: Settings = request.getfixturevalue("s3_server")
        return found
    return Settings()


def test_processes_that_finish_the_same_book_give_one_result(
    book: QueuedBook, place: ObjectStore, settings: Settings, tmp_path: Path
) -> None:
    processes = [
        started(book, place, settings, tmp_path / "scratch", is_killed=False) for _ in range(2)
    ]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    result = book.result
    assert result
    assert set(delivered(book, place)) == {file.name for file in result.outputs}
    assert not list((tmp_path / "scratch").glob("*"))


class Counting:
    """Counts files that are sent."""

    def __init__(self, store: ObjectStore) -> None:
        self.store, self.sent = store, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put_file(
        self, name: str, path: Path, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        self.sent.append(name)
        return self.store.put_file(name, path, content_type=content_type, metadata=metadata)


def test_after_a_death_between_upload_and_decision_the_next_sends_nothing_and_decides(
    book: QueuedBook, place: ObjectStore, settings: Settings, tmp_path: Path
) -> None:
    process = started(book, place, settings, tmp_path / "scratch", is_killed=True)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert book.result is None
    files = delivered(book, place)
    assert len(list((tmp_path / "scratch").iterdir())) == 1, "the dead cannot clear up"
    counting: Any = Counting(place.below("out"))
    result = finishing.finish(
        book.request, book.root, counting, tmp_path / "scratch", unheard, go_on
    )
    assert counting.sent == []
    assert book.result == result
    assert delivered(book, place) == files
    assert not list((tmp_path / "scratch").iterdir()), "the living clear up for them"


def test_a_job_that_is_cancelled_while_it_is_finished_leaves_no_file(
    book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    n_asked = count_questions(book, place, tmp_path)
    assert n_asked >= 5
    for n in range(1, n_asked + 1):
        again = submitted(book.job, book.root, place.place("out"), id=f"cancelled-{n}")
        again.work()
        with pytest.raises(CancelledError):
            finish(again, place, tmp_path / "scratch", cancelling(again, after=n))
        assert again.result
        assert again.result.state == "cancelled"
        assert not list(place.below("out").names(again.request.id)), f"at question {n}"


def count_questions(book: QueuedBook, place: ObjectStore, tmp_path: Path) -> int:
    asked = []
    finish(book, place, tmp_path / "scratch", lambda: asked.append(1))
    return len(asked)


def cancelling(book: QueuedBook, after: int) -> KeepGoing:
    """Return a question by whose nth asking the job has been cancelled."""
    left = [after]

    def keep_going() -> None:
        left[0] -= 1
        if left[0] <= 0:
            ending.decide(book.request.id, 0, ending.cancelled(book.request), book.store)
            raise CancelledError("cancelled")

    return keep_going


def test_a_cancel_at_the_last_moment_wins_or_loses_but_never_both(
    book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    n_asked = count_questions(book, place, tmp_path)
    other = submitted(book.job, book.root, place.place("out"), id="raced")
    other.work()
    asked = []

    def cancel_unseen() -> None:
        asked.append(1)
        if len(asked) == n_asked:  # after the last question: it is too late to stop
            ending.decide(other.request.id, 0, ending.cancelled(other.request), other.store)

    assert finish(other, place, tmp_path / "scratch", cancel_unseen).state == "cancelled"
    assert not list(place.below("out").names("raced"))


def test_who_lost_the_lease_leaves_the_files_that_another_counts_on(
    book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    n_asked = count_questions(book, place, tmp_path)
    other = submitted(book.job, book.root, place.place("out"), id="leased")
    other.work()
    asked = []

    def lose() -> None:
        asked.append(1)
        if len(asked) == n_asked:
            raise TransientError("another worker has taken over")

    with pytest.raises(TransientError, match="taken over"):
        finish(other, place, tmp_path / "scratch", lose)
    assert "manifest.json" in delivered(other, place)


def test_of_two_finalizers_with_different_files_the_loser_removes_its_own(
    book: QueuedBook, place: ObjectStore, tmp_path: Path
) -> None:
    other = QueuedBook(book.job, book.request.model_copy(update={"notes": ("mine",)}), book.root)
    asked = []

    def overtaken() -> None:
        asked.append(1)
        if len(asked) == 2:  # its files are made; not yet delivered
            finish(other, place, tmp_path / "other")

    result = finish(book, place, tmp_path / "scratch", overtaken)
    assert result == book.result
    assert set(delivered(book, place)) == {file.name for file in result.outputs}
    assert b"mine" in delivered(book, place)["report.json"]


def test_a_retry_delivers_an_edition_of_its_own_and_removing_takes_both(
    place: ObjectStore, tmp_path: Path
) -> None:
    book = submitted(prepared(tmp_path), place.below("queue"), place.place("out"))
    book.checker.flagged["river"] = 2
    book.work()
    first = finish(book, place, tmp_path / "scratch")
    retrying.retry(book.request, book.root)
    book.work()
    second = finish(book, place, tmp_path / "scratch")
    out = place.below("out")
    assert (first.state, second.state) == ("partial", "succeeded")
    assert len(editions(book, place)) == 2
    takes = list(book.root.names("chunks"))
    removing.remove(book.request, book.root, out)
    assert not list(out.names(book.request.id))
    assert list(book.root.names("chunks")) == takes, "other books may say the same"
    assert not list(book.root.names("jobs"))


def test_what_is_delivered_to_s3_says_what_it_is(s3: S3Store, tmp_path: Path) -> None:
    book = settled(s3, tmp_path, EVERYTHING)
    result = finish(book, s3, tmp_path / "scratch")
    prefix = delivery.prefix_of(result.location or "", book.request)
    kinds = {}
    for file in result.outputs:
        head = s3.client.head_object(Bucket=s3.bucket, Key=f"out/{prefix}/{file.name}")
        kinds[file.name.rpartition(".")[2]] = head["ContentType"]
        metadata = head["Metadata"]
        assert metadata["voxmill-job"] == "book-1"
        assert metadata["voxmill-title"] == "Der Flu%C3%9F, %E2%80%9Ca river%E2%80%9D"
        assert "nobody" in metadata["voxmill-voices"]
        assert metadata["sha256"] == file.sha256
    assert kinds == {
        "ass": "text/x-ssa; charset=utf-8",
        "flac": "audio/flac",
        "html": "text/html; charset=utf-8",
        "json": "application/json",
        "m4b": "audio/mp4",
        "mp3": "audio/mpeg",
        "opus": "audio/ogg",
        "srt": "application/x-subrip; charset=utf-8",
        "vtt": "text/vtt; charset=utf-8",
        "wav": "audio/wav",
    }


def test_a_link_opens_its_file_without_credentials(s3: S3Store, tmp_path: Path) -> None:
    book = settled(s3, tmp_path)
    result = finish(book, s3, tmp_path / "scratch")
    links = delivery.links(result, book.request, s3.below("out"), expires_s=60)
    for file, link in zip(result.outputs, links, strict=True):
        with urlopen(link, timeout=10) as answer:  # noqa: S310 - http, to loopback
            assert hashlib.sha256(answer.read()).hexdigest() == file.sha256
