"""How editions are named, and what their files say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from queued_book import QueuedBook, Submit, go_on

from pipeline.assembly.delivery.formats import FORMATS
from pipeline.assembly.subtitles import files as subtitles
from pipeline.errors import CorruptObjectError
from pipeline.jobs import delivery
from pipeline.jobs.delivery import Edition
from pipeline.manifest.delivery import DeliveryManifest
from pipeline.manifest.result import Result
from pipeline.run.receipt import COVERS
from pipeline.store.local import LocalStore


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    (folder / "report_files").mkdir(parents=True)
    (folder / "book.m4b").write_bytes(b"sound")
    (folder / "report_files" / "chunk-000001.flac").write_bytes(b"clip")
    return folder


def edition(book: QueuedBook, folder: Path, number: int = 0) -> Edition:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return delivery.edition(book.request, number, folder, paths)


def manifest(book: QueuedBook, files: Edition, title: str = "A Title") -> DeliveryManifest:
    return DeliveryManifest(
        job=book.request.id,
        tenant="",
        title=title,
        state="succeeded",
        n_chunks=1,
        n_flagged=0,
        n_failed=0,
        duration_s=1.0,
        request=book.job.request,
        plan_sha256="0",
        outputs=files.outputs,
    )


def test_the_same_files_are_the_same_edition(submit: Submit, files: Path) -> None:
    book = submit()
    assert edition(book, files) == edition(book, files)


@pytest.mark.parametrize("change", ["content", "name", "round", "tenant"])
def test_another_file_name_round_or_tenant_makes_another_edition(
    change: str, submit: Submit, files: Path
) -> None:
    book, number = submit(), 0
    before = edition(book, files)
    if change == "content":
        (files / "book.m4b").write_bytes(b"other sound")
    elif change == "name":
        (files / "book.m4b").rename(files / "other.m4b")
    elif change == "round":
        number = 1
    else:
        book = submit(tenant="acme")
    assert edition(book, files, number).prefix != before.prefix


def test_files_keep_their_folders_so_that_the_report_finds_its_clips(
    submit: Submit, files: Path, output: LocalStore
) -> None:
    book = submit()
    made = edition(book, files)
    delivered = delivery.deliver(made, manifest(book, made), output, go_on)
    names = [file.name for file in delivered.outputs]
    assert names == ["book.m4b", "report_files/chunk-000001.flac", "manifest.json"]
    assert output.get(f"{made.prefix}/report_files/chunk-000001.flac") == b"clip"


def test_the_manifest_comes_last(submit: Submit, files: Path, output: LocalStore) -> None:
    book = submit()
    made = edition(book, files)
    there: list[list[str]] = []

    def look() -> None:
        there.append(list(output.names(made.prefix)))

    delivery.deliver(made, manifest(book, made), output, look)
    assert len(there[-1]) == 2
    assert not any(name.endswith("manifest.json") for name in there[-1])


def test_a_file_that_is_there_and_is_another_is_refused_and_left(
    submit: Submit, files: Path, output: LocalStore
) -> None:
    book = submit()
    made = edition(book, files)
    output.put(f"{made.prefix}/book.m4b", b"somebody else's")
    with pytest.raises(CorruptObjectError, match=r"book\.m4b"):
        delivery.deliver(made, manifest(book, made), output, go_on)
    assert output.get(f"{made.prefix}/book.m4b") == b"somebody else's"


class Listening(LocalStore):
    """Keeps the metadata of what is put into it, which a folder does not."""

    metadata: dict[str, str]

    def put_file(self, name: str, path: Path, *, content_type: str, metadata: object) -> bool:
        assert isinstance(metadata, dict)
        self.metadata = metadata
        return super().put_file(name, path, content_type=content_type, metadata=metadata)


@pytest.mark.parametrize(
    "title", ["夏" * 2000, "a" * 5000, 'line\nbreak "quoted" 100 %', "é" * 170]
)
def test_metadata_is_ascii_and_within_what_s3_takes(
    title: str, submit: Submit, files: Path, tmp_path: Path
) -> None:
    book = submit()
    made = edition(book, files)
    store = Listening(tmp_path / "elsewhere")
    delivery.deliver(made, manifest(book, made, title), store, go_on)
    facts = store.metadata
    assert all(text.isascii() and text.isprintable() for text in facts.values())
    assert sum(len(name) + len(text) for name, text in facts.items()) < 2048 - len("sha256") - 64
    assert facts["voxmill-title"].count("%") * 3 <= len(facts["voxmill-title"])
    assert not facts["voxmill-title"].endswith("%")


def test_what_was_not_delivered_has_no_links(submit: Submit, output: LocalStore) -> None:
    book = submit()
    result = Result(state="failed", outputs=(), n_chunks=1, n_flagged=0, duration_s=0.0)
    assert delivery.links(result, book.request, output, 60) == []


def test_every_format_that_is_made_has_a_content_type() -> None:
    made = {f".{name}" for name in [*FORMATS, *subtitles.FORMATS, "html"]}
    made |= {Path(name).suffix for name in COVERS.values()}
    assert made == set(delivery.CONTENT_TYPES)
