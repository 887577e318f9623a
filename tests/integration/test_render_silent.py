"""A dry run: the whole pipeline on an engine that speaks nothing, and says so everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mutagen.mp4
import pytest
from conftest import Ran, outputs

Voxmill = Callable[..., Ran]

SAID = "nothing is spoken"


@pytest.mark.parametrize("profile", ["audiobook", "acx", "podcast", "broadcast", "raw"])
def test_a_dry_run_makes_every_file_of_a_profile(
    profile: str, voxmill: Voxmill, book: Path, tmp_path: Path
) -> None:
    ran = voxmill(
        "render", book, "--out", tmp_path / "out", "--engine", "silent", "--check", "off",
        "--profile", profile, "--subtitles", "srt,vtt,ass,json", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    result = ran.event("Finished")["result"]
    assert result["state"] == "succeeded"
    assert result["n_flagged"] == 0
    assert set(outputs(tmp_path / "out")) == {file["name"] for file in result["outputs"]}


def test_a_dry_run_says_that_nothing_was_spoken_wherever_one_looks(
    voxmill: Voxmill, book: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = voxmill("render", book, "--out", out, "--engine", "silent", "--check", "off")
    assert ran.code == 0
    assert f"note: {SAID}" in ran.stderr
    assert "Complete" not in ran.stdout
    folder = next(out.glob("*/*/report.json")).parent
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert SAID in report["engine"]
    assert any(SAID in note for note in report["notes"])
    assert SAID in (folder / "report.html").read_text("utf-8")
    tags = mutagen.mp4.MP4(next(folder.glob("*.m4b"))).tags
    assert tags is not None
    assert SAID in tags["\xa9cmt"][0]


@pytest.mark.models
@pytest.mark.parametrize("check", ["fast", "full"])
def test_no_chunk_of_a_dry_run_passes_a_check(
    check: str, voxmill: Voxmill, book: Path, tmp_path: Path
) -> None:
    ran = voxmill(
        "render", book, "--out", tmp_path / "out", "--engine", "silent", "--check", check,
        "--takes", "1", "--profile", "raw", "--json",
    )  # fmt: skip
    assert ran.code == 3
    result = ran.event("Finished")["result"]
    assert result["n_flagged"] == result["n_chunks"]


def test_two_dry_runs_give_the_same_bytes(voxmill: Voxmill, book: Path, tmp_path: Path) -> None:
    made = []
    for name, more in (("a", ()), ("b", ("--param", "cost_s=0.01", "--jobs", "1"))):
        out = tmp_path / name
        ran = voxmill(
            "render", book, "--out", out, "--engine", "silent", "--check", "off",
            "--profile", "raw", *more,
        )  # fmt: skip
        assert ran.code == 0
        made.append({name: data for name, data in outputs(out).items() if "report" not in name})
    assert made[0] == made[1]
