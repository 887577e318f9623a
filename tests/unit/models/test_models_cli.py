"""`voxmill models`, as typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.errors import RequestError
from pipeline.models.catalogue import MODELS
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.settings import Settings
from producer.cli import models


@pytest.fixture
def machine(here: Settings, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of `here`, as the command line reads them."""
    monkeypatch.setenv("VOXMILL_MODELS_DIR", str(here.models_dir))
    monkeypatch.setenv("VOXMILL_HUB_URL", here.hub_url)
    monkeypatch.delenv("VOXMILL_WHISPER_PATH", raising=False)
    monkeypatch.delenv("VOXMILL_OFFLINE", raising=False)
    return here


def voxmill_models(*arguments: str) -> Result:
    return CliRunner().invoke(models.app, list(arguments))


@pytest.mark.usefixtures("machine")
def test_list_names_every_model_and_the_command_that_gets_it() -> None:
    shown = voxmill_models("list").stdout
    for name in MODELS:
        assert name in shown
        assert f"missing; get it with: voxmill models pull {name}" in shown


def test_list_shows_where_a_model_lies(machine: Settings, filled: Path) -> None:
    row = next(
        row for row in json.loads(voxmill_models("list", "--json").stdout) if row["model"] == "tiny"
    )
    assert row == {
        "model": "tiny",
        "purpose": "for tests",
        "size_bytes": 200_014,
        "licence": "MIT",
        "state": "intact",
        "folder": str(filled),
        "remedy": None,
    }


def test_list_shows_a_damaged_model_instead_of_failing(machine: Settings, filled: Path) -> None:
    (filled / "vocabulary.txt").write_bytes(b"one")
    done = voxmill_models("list")
    assert done.exit_code == 0
    assert "vocabulary.txt: damaged" in done.stdout


def test_pull_fetches_and_tells_where(machine: Settings) -> None:
    done = voxmill_models("pull", "tiny")
    assert done.exit_code == 0
    assert done.stdout == f"tiny: intact in {machine.models_dir / 'tiny'}\n"
    assert "tiny: weights.bin 0.2 of 0.2 MB" in done.stderr
    assert (machine.models_dir / "tiny" / "weights.bin").stat().st_size == 200_000


def test_pull_as_json_tells_progress_and_the_end(machine: Settings) -> None:
    events = [
        json.loads(line)
        for line in voxmill_models("pull", "tiny", "--json").stdout.split("\n")
        if line
    ]
    assert events[0] == {
        "event": "progress",
        "model": "tiny",
        "file": "vocabulary.txt",
        "done_bytes": 14,
        "total_bytes": 14,
    }
    assert events[-1] == {
        "event": "done",
        "model": "tiny",
        "folder": str(machine.models_dir / "tiny"),
    }


def test_pull_fetches_nothing_when_one_of_the_names_is_wrong(machine: Settings, mirror) -> None:
    done = voxmill_models("pull", "tiny", "tinny")
    assert isinstance(done.exception, RequestError)
    assert mirror.requests == []


def test_verify_fails_on_damage_and_pull_repairs_it(machine: Settings, filled: Path) -> None:
    assert voxmill_models("verify", "tiny").exit_code == 0
    (filled / "vocabulary.txt").write_bytes(b"one\nzwo\nthree\n")
    failed = voxmill_models("verify")
    assert failed.exit_code == 1
    assert re.search(r"damaged +vocabulary\.txt", failed.stdout)
    assert "voxmill models pull tiny" in failed.stdout
    assert voxmill_models("pull", "tiny").exit_code == 0
    assert voxmill_models("verify", "tiny").exit_code == 0


@pytest.mark.usefixtures("machine")
def test_verify_fails_on_a_missing_model_only_when_it_is_named() -> None:
    assert voxmill_models("verify", "tiny").exit_code == 1
    assert voxmill_models("verify").exit_code == 0


def test_verify_as_json_has_every_file(machine: Settings, filled: Path) -> None:
    (told,) = json.loads(voxmill_models("verify", "tiny", "--json").stdout)
    assert told == {
        "model": "tiny",
        "folder": str(filled),
        "state": "intact",
        "files": {"vocabulary.txt": "intact", "weights.bin": "intact"},
    }


@pytest.fixture
def needy(tiny: Model, mirror, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model that is not pinned and needs `tiny`."""
    mirror.files["/someone/needy/resolve/abc/net.bin"] = b"net"
    source = HubSource("someone/needy", "abc", (ModelFile("net.bin"),))
    model = Model("needy", "for tests", "MIT", (source,), needs=("tiny",))
    monkeypatch.setitem(MODELS, "needy", model)
    return model


@pytest.mark.usefixtures("needy")
def test_pull_fetches_what_a_model_needs_first(machine: Settings) -> None:
    done = voxmill_models("pull", "needy")
    assert done.stdout == (
        f"tiny: intact in {machine.models_dir / 'tiny'}\n"
        f"needy: intact in {machine.models_dir / 'needy'}\n"
    )


@pytest.mark.usefixtures("needy")
def test_a_model_whose_size_is_not_known_is_listed_without_one(machine: Settings) -> None:
    row = next(row for row in voxmill_models("list").stdout.splitlines() if "needy" in row)
    assert "? MB" in row
    assert row.endswith("missing; get it with: voxmill models pull needy")


@pytest.mark.usefixtures("needy")
def test_files_that_nobody_vouches_for_are_listed_and_verified_as_such(machine: Settings) -> None:
    folder = machine.models_dir / "needy"
    folder.mkdir(parents=True)
    (folder / "net.bin").write_bytes(b"net")
    remedy = "compare it with the hub's with: voxmill models pull needy"
    (row,) = [row for row in voxmill_models("list").stdout.splitlines() if "needy" in row]
    assert row.endswith(f"{folder}; unverified; {remedy}")
    failed = voxmill_models("verify", "needy")
    assert failed.exit_code == 1
    assert remedy in failed.stdout
    assert voxmill_models("verify").exit_code == 0
    assert voxmill_models("pull", "needy").exit_code == 0
    assert voxmill_models("verify", "needy").exit_code == 0
