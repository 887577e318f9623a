"""Which source is asked, in which order, and what is left in the folder."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from pathlib import Path

import pytest

from pipeline.errors import ModelError, StorageError
from pipeline.models import catalogue, resolve
from pipeline.models.files import explained, half_made
from pipeline.models.pull import pull
from pipeline.models.sources import (
    HubSource,
    Model,
    ModelFile,
    Package,
    PackagedFile,
    PackageSource,
    Part,
)
from pipeline.settings import Settings

ONE = Package("voxmill-test-part-one", "1.0", "voxmill_test_part_one", 1_000)
TWO = Package("voxmill-test-part-two", "1.0", "voxmill_test_part_two", 1_000)
PACKED_WEIGHTS = bytes(range(256)) * 5_000  # more than one block
CUT = 1_200_000


def pinned(name: str, content: bytes) -> ModelFile:
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def packaged(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> Model:
    """`tiny` with a second source: an edition in two packages."""
    source = PackageSource(
        (
            PackagedFile(pinned("words.json", b"[1]"), (Part(TWO, "data/words.json"),)),
            PackagedFile(
                pinned("weights.bin", PACKED_WEIGHTS),
                (Part(ONE, "data/weights.bin.part1"), Part(TWO, "data/weights.bin.part2")),
            ),
        )
    )
    model = Model("tiny", tiny.purpose, tiny.licence, (*tiny.sources, source))
    monkeypatch.setitem(catalogue.MODELS, "tiny", model)
    return model


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that has both."""
    for module, files in {
        ONE.module: {"weights.bin.part1": PACKED_WEIGHTS[:CUT]},
        TWO.module: {"weights.bin.part2": PACKED_WEIGHTS[CUT:], "words.json": b"[1]"},
    }.items():
        data = tmp_path / "site" / module / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").write_text("raise RuntimeError('imported')")
        for name, content in files.items():
            (data / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock", ".verified.json"}


@pytest.mark.usefixtures("site")
def test_installed_packages_are_joined_without_importing_them_or_asking_the_hub(
    here: Settings, packaged: Model, mirror
) -> None:
    folder = resolve.model_dir("tiny", settings=here)
    assert (folder / "weights.bin").read_bytes() == PACKED_WEIGHTS
    assert names(folder) == {"weights.bin", "words.json"}
    assert mirror.requests == []


@pytest.mark.usefixtures("site")
def test_installed_packages_serve_an_offline_machine(here: Settings, packaged: Model) -> None:
    folder = pull("tiny", here.model_copy(update={"offline": True}))
    assert names(folder) == {"weights.bin", "words.json"}


def test_a_package_with_other_bytes_is_passed_over_for_the_hub(
    here: Settings, packaged: Model, site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (site / TWO.module / "data" / "weights.bin.part2").write_bytes(bytes(80_000))
    with caplog.at_level(logging.WARNING):
        folder = pull("tiny", here)
    assert names(folder) == {"weights.bin", "vocabulary.txt"}
    assert "weights.bin inside is not the pinned file" in caplog.text


def test_a_package_that_lacks_its_part_is_named(
    here: Settings, packaged: Model, site: Path
) -> None:
    (site / ONE.module / "data" / "weights.bin.part1").unlink()
    offline = here.model_copy(update={"offline": True})
    told = r"voxmill-test-part-one lacks data/weights\.bin\.part1.*run without VOXMILL_OFFLINE"
    with pytest.raises(ModelError, match=told):
        pull("tiny", offline)


def test_an_offline_machine_asks_nobody_and_says_where_to_copy_the_files(
    here: Settings, tiny: Model, mirror
) -> None:
    offline = here.model_copy(update={"offline": True})
    with pytest.raises(ModelError, match=r"VOXMILL_OFFLINE.*vocabulary\.txt, weights\.bin.*tiny"):
        resolve.model_dir("tiny", settings=offline)
    assert mirror.requests == []


def test_pull_repairs_only_what_is_damaged(here: Settings, filled: Path, mirror) -> None:
    (filled / "vocabulary.txt").write_bytes(b"one\nzwo\nthree\n")
    pull("tiny", here)
    assert [path for path, _ in mirror.requests] == ["/someone/tiny/resolve/abc/vocabulary.txt"]
    assert resolve.find("tiny", here) == filled


def test_a_model_under_repair_looks_missing_to_others_never_damaged(
    here: Settings, filled: Path
) -> None:
    for name in ("weights.bin", "vocabulary.txt"):
        (filled / name).write_bytes(b"other bytes")
    seen: list[Path | None] = []
    pull("tiny", here, lambda *_: seen.append(resolve.find("tiny", here)))
    assert set(seen) == {None}


def test_pull_of_an_intact_model_asks_nobody(here: Settings, filled: Path, mirror) -> None:
    assert pull("tiny", here) == filled
    assert mirror.requests == []


def test_what_another_edition_left_behind_is_cleared_away(
    here: Settings, folder: Path, packaged: Model
) -> None:
    (folder / "words.json").write_bytes(b"[1]")
    half_made(folder, packaged.editions[1][1]).write_bytes(b"half")
    pull("tiny", here)
    assert names(folder) == {"weights.bin", "vocabulary.txt"}


def test_files_that_are_not_the_models_stay(here: Settings, folder: Path) -> None:
    (folder / "README.md").write_text("mine")
    pull("tiny", here)
    assert (folder / "README.md").read_text() == "mine"


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(
    here: Settings, monkeypatch: pytest.MonkeyPatch, mirror
) -> None:
    huge = ModelFile("huge.bin", 10**17, "0" * 64)
    model = Model("huge", "for tests", "MIT", (HubSource("a/b", "main", (huge,)),))
    monkeypatch.setitem(catalogue.MODELS, "huge", model)
    with pytest.raises(StorageError, match=r"the model needs .* MB.*VOXMILL_MODELS_DIR"):
        pull("huge", here)
    assert mirror.requests == []


def test_a_model_folder_that_cannot_be_made_is_named_with_the_remedy(
    here: Settings, tiny: Model, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = here.model_copy(update={"models_dir": tmp_path / "file" / "models"})
    with pytest.raises(StorageError, match=r"file.*VOXMILL_MODELS_DIR"):
        pull("tiny", blocked)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "permission denied"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_every_refusal_of_the_system_names_the_folder_and_a_remedy(
    tmp_path: Path, number: int, told: str
) -> None:
    with (
        pytest.raises(StorageError, match=rf"{tmp_path}.*{told}.*VOXMILL_MODELS_DIR"),
        explained(tmp_path),
    ):
        raise OSError(number, os.strerror(number))
