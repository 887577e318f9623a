from __future__ import annotations

import pytest
from queued_book import QueuedBook, Submit

from pipeline import names
from pipeline.errors import RequestError
from pipeline.jobs import ending
from pipeline.jobs.removing import remove
from pipeline.manifest.result import OutputFile, Result
from pipeline.store.local import LocalStore


def deliver(book: QueuedBook, output: LocalStore) -> None:
    """End a job with one file."""
    output.put("book-1/edition/book.m4b", b"sound")
    result = Result(
        state="succeeded",
        outputs=(OutputFile(name="book.m4b", size_bytes=5, sha256="0"),),
        n_chunks=1,
        n_flagged=0,
        duration_s=1.0,
        location=output.place("book-1/edition"),
    )
    ending.decide(book.request.id, 0, result, book.store)


def test_a_job_that_has_not_ended_is_not_removed(submit: Submit, root: LocalStore) -> None:
    book = submit()
    with pytest.raises(RequestError, match="jobs cancel"):
        remove(book.request, root, None)
    assert book.tree.is_planned


def test_all_of_a_job_is_removed_but_its_takes_and_files(
    submit: Submit, root: LocalStore, output: LocalStore
) -> None:
    book = submit()
    book.work()
    deliver(book, output)
    remove(book.request, root, None)
    assert {name.split("/")[0] for name in every_name(root)} == {"chunks"}
    assert output.exists("book-1/edition/book.m4b")


def every_name(root: LocalStore) -> list[str]:
    return [name for top in ("active", "index", "jobs", "chunks") for name in root.names(top)]


def test_files_are_removed_when_asked_for(
    submit: Submit, root: LocalStore, output: LocalStore
) -> None:
    book = submit()
    deliver(book, output)
    remove(book.request, root, output)
    assert not (output.root / "book-1").exists()


def test_files_that_another_job_of_the_same_name_has_there_stay(
    submit: Submit, root: LocalStore, output: LocalStore
) -> None:
    book = submit()
    deliver(book, output)
    output.put("book-1/another/book.m4b", b"another tenant's")
    remove(book.request, root, output)
    assert list(output.names("book-1")) == ["book-1/another/book.m4b"]


def test_a_removal_that_was_cut_short_can_be_done_again(submit: Submit, root: LocalStore) -> None:
    book = submit()
    root.delete(names.active(str(book.request.ref)))
    root.delete(names.plan(book.request.id))
    remove(book.request, root, None)
    assert not every_name(root)


def test_the_request_goes_last(
    submit: Submit, root: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = submit()
    ending.decide(book.request.id, 0, ending.cancelled(book.request), root)
    whole = LocalStore.delete_all

    def cut_short(self: LocalStore, prefix: str) -> None:
        if prefix == names.job(book.request.id):
            raise KeyboardInterrupt
        whole(self, prefix)

    monkeypatch.setattr(LocalStore, "delete_all", cut_short)
    with pytest.raises(KeyboardInterrupt):
        remove(book.request, root, None)
    assert list(root.names("jobs")) == [names.request(book.request.id)]


def test_the_same_id_can_be_used_for_another_book_afterwards(
    submit: Submit, root: LocalStore
) -> None:
    book = submit()
    ending.decide(book.request.id, 0, ending.cancelled(book.request), root)
    remove(book.request, root, None)
    other = submit("Another text.\n")
    assert not other.tree.is_ended
    assert other.tree.left() == ["0000"]


def test_a_tenant_s_job_is_removed_and_no_other_of_its_name(
    submit: Submit, root: LocalStore
) -> None:
    ours, theirs = submit(), submit(tenant="acme")
    ending.decide(ours.request.id, 0, ending.cancelled(ours.request), ours.store)
    remove(ours.request, root, None)
    assert theirs.tree.is_planned
    assert list(root.names("active")) == ["active/acme:book-1"]
