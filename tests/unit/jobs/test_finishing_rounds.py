"""Finishing, retrying and mending, from what is in the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from queued_book import QueuedBook, Submit, go_on, unheard

from pipeline import names
from pipeline.assembly import profiles
from pipeline.errors import CorruptObjectError, IncompleteError, RequestError, TransientError
from pipeline.jobs import ending, finishing, records, tree
from pipeline.jobs.finishing import finish
from pipeline.jobs.retrying import retry
from pipeline.manifest.result import Result
from pipeline.store.local import LocalStore


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def finished(book: QueuedBook, output: LocalStore, scratch: Path) -> Result:
    result = finish(book.request, book.root, output, scratch, unheard, go_on)
    assert not list(scratch.glob("*")), "nothing is left of the work"
    return result


def test_a_book_is_not_put_together_before_its_last_receipt(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    *most, last = book.tree.left()
    book.work(most)
    with pytest.raises(IncompleteError, match=last):
        finished(book, output, scratch)
    assert not output.root.exists()
    book.work()
    assert finished(book, output, scratch).state == "succeeded"


def test_the_result_names_every_file_and_where_it_lies(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.work()
    result = finished(book, output, scratch)
    assert book.result == result
    assert result.location
    folder = Path(result.location)
    delivered = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert delivered == {file.name for file in result.outputs}
    assert {"report.html", "report.json", "manifest.json"} < delivered
    for file in result.outputs:
        assert (folder / file.name).stat().st_size == file.size_bytes
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {file["name"]: file["sha256"] for file in manifest["outputs"]}
    assert listed == {
        file.name: file.sha256 for file in result.outputs if file.name != "manifest.json"
    }


def test_finishing_again_changes_nothing(submit: Submit, output: LocalStore, scratch: Path) -> None:
    book = submit()
    book.work()
    first = finished(book, output, scratch)
    assert finish(book.request, book.root, output, scratch, unheard, go_on) == first
    assert len(list((output.root / book.request.id).iterdir())) == 1


def test_what_is_said_twice_is_spoken_once_and_stands_twice(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    spoken = book.work()
    assert spoken.count("It rained.") == 1
    result = finished(book, output, scratch)
    assert result.n_chunks == len(book.job.plan.chunks) == book.request.n_chunks + 1
    (flac,) = [file for file in result.outputs if file.name.endswith(".json") and "Fl" in file.name]
    words = (Path(result.location or "") / flac.name).read_text()
    assert words.count("rained") >= 2


def test_a_flagged_chunk_makes_the_job_partial_and_can_be_heard_from_the_report(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["river"] = 99
    book.work()
    result = finished(book, output, scratch)
    assert (result.state, result.n_flagged, result.n_failed) == ("partial", 1, 0)
    clips = [file.name for file in result.outputs if file.name.startswith("report_files/")]
    assert len(clips) == 1
    page = (Path(result.location or "") / "report.html").read_text()
    assert clips[0] in page


def test_a_chunk_that_kills_its_workers_leaves_a_gap_and_the_rest_of_the_book(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.poison = ["river"]
    book.work()
    result = finished(book, output, scratch)
    assert (result.state, result.n_flagged, result.n_failed) == ("partial", 1, 1)
    report = json.loads((Path(result.location or "") / "report.json").read_text())
    assert "the process died" in json.dumps(report)


def test_a_job_has_failed_when_not_one_chunk_could_be_made(
    submit: Submit, output: LocalStore, scratch: Path
) -> None:
    book = submit("Nothing of this can be said.\n")
    book.poison = ["this"]
    book.work()
    result = finished(book, output, scratch)
    assert result.state == "failed"
    assert "the process died" in (result.reason or "")
    assert not output.root.exists()


def test_the_job_of_a_tenant_stays_in_its_own_tree(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit(tenant="acme")
    book.work()
    finished(book, output, scratch)
    assert root.exists("tenants/acme/jobs/book-1/result.json")
    assert {path.name for path in root.root.iterdir()} == {"active", "tenants"}


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_a_take_that_was_damaged_is_made_again_before_the_book_is_put_together(
    harm: str, submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.work()
    receipt = book.receipt("river")
    before = root.get(names.audio(receipt.marks.key))
    if harm == "removed":
        root.delete(names.audio(receipt.marks.key))
    else:
        root.put(names.audio(receipt.marks.key), b"noise")
    with pytest.raises(IncompleteError):
        finished(book, output, scratch)
    assert len(book.tree.left()) == 1
    spoken = book.work()
    assert len(spoken) == 1
    assert "river" in spoken[0]
    assert finished(book, output, scratch).state == "succeeded"
    assert root.get(names.audio(receipt.marks.key)) == before


def test_a_take_of_an_earlier_round_that_was_damaged_is_made_again_in_this_one(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["lamp"] = 2
    book.work()
    finished(book, output, scratch)
    retry(book.request, root)
    book.work()
    root.delete(names.audio(book.receipt("river").marks.key))
    with pytest.raises(IncompleteError):
        finished(book, output, scratch)
    assert [records.round_of(shard) for shard in book.tree.left()] == [1]
    book.work()
    assert finished(book, output, scratch).state == "succeeded"


def test_a_receipt_that_cannot_be_read_costs_its_chunks_and_no_more(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.work()
    root.put(names.done(book.request.id, "0000"), b"{")
    with pytest.raises(IncompleteError):
        finished(book, output, scratch)
    book.work()
    assert finished(book, output, scratch).state == "succeeded"


def test_the_receipt_of_another_text_is_not_believed(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    other = submit("Another book of the same id.\n", id="other")
    other.work()
    book = submit()
    foreign = records.load_receipt("other", "0000", root)
    assert foreign
    root.put_new(names.done(book.request.id, "0000"), foreign.encode())
    book.work()
    with pytest.raises(IncompleteError):
        finished(book, output, scratch)
    book.work()
    assert finished(book, output, scratch).state == "succeeded"


def test_a_chunk_in_no_shard_is_named_with_what_to_do(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    root.delete(names.shard(book.request.id, "0001"))
    book.work()
    with pytest.raises(CorruptObjectError, match="voxmill jobs rm"):
        finished(book, output, scratch)


def test_a_retry_makes_only_what_failed(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["river"] = 2
    book.poison = ["lamp"]
    book.work()
    first = finished(book, output, scratch)
    assert (first.state, first.n_flagged, first.n_failed) == ("partial", 2, 1)
    book.poison = ()
    book.checker.flagged.clear()
    begun = retry(book.request, root)
    assert begun.number == 1
    assert {book.job.plan.chunks[index].text[:8] for index in begun.chunks} == {
        "The lamp",
        "The rive",
    }
    assert len(book.work()) == 2
    second = finished(book, output, scratch)
    assert (second.state, second.n_flagged, second.n_failed) == ("succeeded", 0, 0)
    assert second.location != first.location
    assert records.load_result(book.request.id, 0, root) == first
    assert Path(first.location or "").is_dir(), "what was delivered stays"


def test_a_retry_of_a_retry_has_as_many_takes_again(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["river"] = 99
    book.work()
    finished(book, output, scratch)
    for number in (1, 2):
        assert retry(book.request, root).number == number
        assert len(book.work()) == 2, "two takes a round"
        assert finished(book, output, scratch).state == "partial"
        assert book.receipt("river").n_takes == 2 * (number + 1)


def test_a_retry_that_makes_nothing_better_keeps_what_there_was(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["river"] = 99
    book.work()
    finished(book, output, scratch)
    retry(book.request, root)
    book.poison = ["river"]
    book.work()
    result = finished(book, output, scratch)
    assert (result.n_flagged, result.n_failed) == (1, 0), "the take of the first round stands"


def test_two_who_retry_begin_one_round(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged["river"] = 2
    book.work()
    finished(book, output, scratch)
    before = tree.read(root, book.request.id)
    first = retry(book.request, root)
    # The second looked before the first wrote.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "read", lambda *_: before)
        second = retry(book.request, root)
    assert second == first
    assert book.tree.rounds == (1,)
    assert len(book.tree.left()) == 1


def test_a_cancelled_job_is_taken_up_where_it_was_left(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    first = book.tree.left()[0]
    done = book.work([first])
    ending.decide(book.request.id, 0, ending.cancelled(book.request), root)
    root.delete(names.active(str(book.request.ref)))
    begun = retry(book.request, root)
    assert root.exists(names.active(str(book.request.ref)))
    assert len(begun.chunks) == book.request.n_chunks - len(done)
    assert not set(book.work()) & set(done)
    assert finished(book, output, scratch).state == "succeeded"


def test_chunks_that_a_half_written_retry_left_out_are_found_in_the_end(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.checker.flagged.update({"river": 2, "lamp": 2})
    book.work()
    finished(book, output, scratch)
    retry(book.request, root)
    root.delete(names.shard(book.request.id, "r1-0000"))
    assert not book.tree.left()
    finished(book, output, scratch)  # with what stood before: nothing is lost
    retry(book.request, root)
    book.work()
    assert finished(book, output, scratch).state == "succeeded"


def test_a_job_that_failed_in_assembly_is_only_put_together_again(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    book.work()
    ending.decide(book.request.id, 0, ending.failed(book.request, "no ffmpeg"), root)
    assert retry(book.request, root).chunks == ()
    assert book.work() == []
    assert finished(book, output, scratch).state == "succeeded"


def test_what_has_succeeded_or_not_ended_cannot_be_retried(
    submit: Submit, root: LocalStore, output: LocalStore, scratch: Path
) -> None:
    book = submit()
    with pytest.raises(RequestError, match="jobs watch"):
        retry(book.request, root)
    book.work()
    finished(book, output, scratch)
    with pytest.raises(RequestError, match="nothing to do"):
        retry(book.request, root)
    assert book.tree.rounds == ()


def test_a_job_whose_files_miss_the_profile_has_failed_and_says_so(
    submit: Submit, output: LocalStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = submit()
    book.work()
    monkeypatch.setattr(profiles, "check", lambda *_: ["too loud by 3 dB"])
    result = finished(book, output, scratch)
    assert result.state == "failed"
    assert "too loud by 3 dB" in (result.reason or "")
    assert not output.root.exists()


def test_while_files_are_made_it_is_asked_whether_they_are_still_wanted(
    submit: Submit, output: LocalStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = submit()
    book.work()
    monkeypatch.setattr(finishing, "ASK_EVERY_S", 0.0)
    heard: list[object] = []

    def keep_going() -> None:
        if heard:
            raise TransientError("another worker has taken over")

    with pytest.raises(TransientError, match="taken over"):
        finish(book.request, book.root, output, scratch, heard.append, keep_going)
    assert len(heard) == 1
    assert book.result is None
    assert not list(scratch.iterdir())
    assert not output.root.exists()
