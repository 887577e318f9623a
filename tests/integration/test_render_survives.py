from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import BOOK, VOXMILL, Ran, outputs

Voxmill = Callable[..., Ran]

OPTIONS = ("--formats", "m4b,mp3", "--subtitles", "srt,vtt,ass,json", "--json")


@pytest.fixture(scope="module")
def undisturbed(
    voxmill: Voxmill, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], Path]:
    """The files of a render that nothing happened to, and its folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    book = folder / "small.md"
    book.write_text(BOOK, encoding="utf-8")
    ran = voxmill("render", book, "--out", folder / "out", *OPTIONS)
    assert ran.code == 0, ran.stderr
    return outputs(folder / "out"), folder / "out"


@contextmanager
def rendering(
    book: Path, out: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A render in the background, stopped at the latest when the test ends."""
    command = [*VOXMILL, "render", str(book), "--out", str(out), *OPTIONS]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], event: str, count: int = 1) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        count -= f'"event": "{event}"' in line
        if count == 0:
            return
    raise AssertionError(f"the render ended before {event}")


def is_gone(group: int, within_s: float) -> bool:
    """Tell whether the last process of a group ends in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("event", "count"), [("Planned", 1), ("ChunkDone", 1), ("ChunkDone", 5), ("Step", 1)]
)
def test_a_killed_render_goes_on_and_ends_with_the_same_bytes(
    event: str,
    count: int,
    book: Path,
    tmp_path: Path,
    voxmill: Voxmill,
    environment: dict[str, str],
    undisturbed: tuple[dict[str, bytes], Path],
) -> None:
    out = tmp_path / "out"
    with rendering(book, out, environment) as process:
        wait_for(process, event, count)
        os.killpg(process.pid, signal.SIGKILL)
    stored = len(list((out / ".voxmill" / "chunks").rglob("*.flac"))) if count > 1 else 0
    ran = voxmill("render", book, "--out", out, *OPTIONS)
    assert ran.code == 0, ran.stderr
    assert ran.event("Planned")["n_cached"] >= min(stored, count)
    assert outputs(out) == undisturbed[0]


def test_a_second_run_does_nothing(
    book: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    ran = voxmill("render", book, "--out", undisturbed[1], *OPTIONS)
    assert ran.code == 0
    assert ran.event("Finished")["was_done"]
    assert outputs(undisturbed[1]) == undisturbed[0]


def test_a_changed_sentence_costs_one_chunk(
    book: Path, tmp_path: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed[1], out)
    book.write_text(BOOK.replace("They waited until noon", "They slept until noon"), "utf-8")
    ran = voxmill("render", book, "--out", out, *OPTIONS)
    assert ran.code == 0, ran.stderr
    planned = ran.event("Planned")
    assert planned["n_chunks"] - planned["n_cached"] == 1
    assert outputs(out) != undisturbed[0]


def test_a_damaged_chunk_is_made_again_with_the_same_bytes(
    book: Path, tmp_path: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed[1], out)
    damaged, cut, gone, *_ = sorted((out / ".voxmill" / "chunks").rglob("*.flac"))
    damaged.write_bytes(damaged.read_bytes()[:-300] + bytes(300))
    cut.write_bytes(cut.read_bytes()[:1000])
    gone.unlink()
    next((out / ".voxmill" / "jobs").rglob("result.json")).unlink()
    ran = voxmill("render", book, "--out", out, *OPTIONS)
    assert ran.code == 0, ran.stderr
    planned = ran.event("Planned")
    assert planned["n_chunks"] - planned["n_cached"] == 3
    assert outputs(out) == undisturbed[0]


def test_a_deleted_output_comes_back_without_speaking_again(
    book: Path, tmp_path: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed[1], out)
    next(out.rglob("*.m4b")).unlink()
    ran = voxmill("render", book, "--out", out, *OPTIONS)
    assert ran.code == 0, ran.stderr
    planned = ran.event("Planned")
    assert planned["n_cached"] == planned["n_chunks"]
    assert outputs(out) == undisturbed[0]


def test_one_process_or_two_make_the_same_bytes(
    book: Path, tmp_path: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    ran = voxmill("render", book, "--out", tmp_path / "one", *OPTIONS, "--jobs", 1)
    assert ran.code == 0, ran.stderr
    assert outputs(tmp_path / "one") == undisturbed[0]


def test_two_renders_into_one_folder_do_not_mix(
    book: Path, tmp_path: Path, voxmill: Voxmill, environment: dict[str, str]
) -> None:
    with rendering(book, tmp_path / "out", environment) as process:
        wait_for(process, "Planned")
        second = voxmill("render", book, "--out", tmp_path / "out", *OPTIONS)
        assert second.code == 1
        assert f"process {process.pid}" in second.stderr


def test_ctrl_c_says_how_to_go_on_and_leaves_no_process(
    book: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    with rendering(book, tmp_path / "out", environment) as process:
        wait_for(process, "ChunkDone", 2)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "run the same command again" in stderr
        assert "Traceback" not in stderr
        assert is_gone(process.pid, within_s=5)


def test_a_full_disk_is_an_error_and_what_is_done_is_kept(
    book: Path, tmp_path: Path, voxmill: Voxmill, undisturbed: tuple[dict[str, bytes], Path]
) -> None:
    # A namespace of our own may mount a small file system anywhere.
    small, kept = tmp_path / "small", tmp_path / "kept"
    small.mkdir()
    script = (
        f"mount -t tmpfs -o size=420k none {small} && "
        f'"$@"; code=$?; cp -r {small}/. {kept}/; exit $code'
    )
    kept.mkdir()
    ran = voxmill(
        "render", book, "--out", small, *OPTIONS, prefix=("unshare", "-rm", "sh", "-c", script, "-")
    )
    assert ran.code == 1
    assert "No space left" in ran.stderr or "disk is full" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(kept.rglob("*.part"))
    again = voxmill("render", book, "--out", kept, *OPTIONS)
    assert again.code == 0, again.stderr
    assert again.event("Planned")["n_cached"] > 0
    assert outputs(kept) == undisturbed[0]


def test_a_read_only_folder_is_named(book: Path, tmp_path: Path, voxmill: Voxmill) -> None:
    out = tmp_path / "readonly"
    out.mkdir()
    script = f'mount -t tmpfs -o ro none {out} && "$@"'
    ran = voxmill(
        "render", book, "--out", out, *OPTIONS, prefix=("unshare", "-rm", "sh", "-c", script, "-")
    )
    assert ran.code == 1
    assert str(out) in ran.stderr
    assert "--out" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_missing_ffmpeg_names_the_remedy(book: Path, tmp_path: Path, voxmill: Voxmill) -> None:
    ran = voxmill(
        "render",
        book,
        "--out",
        tmp_path / "out",
        env={"PATH": "/nonexistent", "IMAGEIO_FFMPEG_EXE": "/nonexistent/ffmpeg"},
    )
    assert ran.code == 1
    assert "install" in ran.stderr
    assert "Traceback" not in ran.stderr
