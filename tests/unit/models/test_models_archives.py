"""Model files that come in a zip file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.models import catalogue, resolve
from pipeline.models.pull import pull
from pipeline.models.sources import HubArchive, HubSource, Model, ModelFile
from pipeline.models.verify import State, verify
from pipeline.settings import Settings

ARCHIVE = "/someone/packed/resolve/abc/Packed.zip"
CONTENTS = {"net.onnx": bytes(range(256)) * 2_000, "words.txt": b"a b c", "unused.log": b"log"}


def zipped(contents: dict[str, bytes], folder: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(f"{folder}{name}", content)
    return buffer.getvalue()


def model(archive: bytes, monkeypatch: pytest.MonkeyPatch, mirror) -> None:
    mirror.files[ARCHIVE] = archive
    pin = ModelFile("Packed.zip", len(archive), hashlib.sha256(archive).hexdigest())
    files = (ModelFile("Packed/net.onnx"), ModelFile("Packed/words.txt"))
    source = HubArchive(HubSource("someone/packed", "abc", (pin,)), files)
    monkeypatch.setitem(catalogue.MODELS, "packed", Model("packed", "for tests", "MIT", (source,)))


@pytest.mark.parametrize("inside", ["Packed/", "Packed_1.1/", "a/b/", ""])
def test_files_are_unpacked_whatever_folder_they_lie_in(
    inside: str, here: Settings, mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(zipped(CONTENTS, inside), monkeypatch, mirror)
    folder = pull("packed", here)
    assert {str(path.relative_to(folder)) for path in folder.rglob("[!.]*")} == {
        "Packed",
        "Packed/net.onnx",
        "Packed/words.txt",
    }
    assert (folder / "Packed" / "net.onnx").read_bytes() == CONTENTS["net.onnx"]
    assert resolve.find("packed", here) == folder


def test_a_damaged_archive_is_refused(
    here: Settings, mirror, monkeypatch: pytest.MonkeyPatch, fault
) -> None:
    model(zipped(CONTENTS, "Packed/"), monkeypatch, mirror)
    mirror.faults = [fault(is_corrupt=True)]
    with pytest.raises(ModelError, match=r"Packed\.zip is not the pinned file"):
        pull("packed", here)


def test_an_archive_that_lacks_a_file_is_named(
    here: Settings, mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(zipped({"net.onnx": b"net"}, "Packed/"), monkeypatch, mirror)
    with pytest.raises(ModelError, match=r"Packed\.zip lacks words\.txt"):
        pull("packed", here)


def test_an_archive_left_by_an_earlier_run_is_not_fetched_again(
    here: Settings, mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(CONTENTS, "Packed/")
    model(archive, monkeypatch, mirror)
    folder = here.models_dir / "packed"
    folder.mkdir(parents=True)
    (folder / "Packed.zip").write_bytes(archive)
    pull("packed", here)
    assert mirror.requests == []


def test_an_unpacked_file_that_changes_is_damaged_and_repaired(
    here: Settings, mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(zipped(CONTENTS, "Packed/"), monkeypatch, mirror)
    path: Path = pull("packed", here) / "Packed" / "words.txt"
    path.write_bytes(b"x y z")
    assert verify("packed", here).files["Packed/words.txt"] is State.DAMAGED
    pull("packed", here)
    assert path.read_bytes() == b"a b c"
