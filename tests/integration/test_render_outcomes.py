"""How a render ends: exit codes, what is flagged, what the terminal and programs are told."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import VOXMILL, Ran

Voxmill = Callable[..., Ran]

#: The English engine leaves the Chinese words out.
UNSPEAKABLE = "The lamp was lit.\n\nThe captain said 你好世界 to the crew.\n"
PLAIN = "The lamp was lit. Nobody came.\n"


def write(folder: Path, text: str, name: str = "book.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def report_folder(out: Path) -> Path:
    (path,) = out.glob("*/*/report.json")
    return path.parent


def test_words_the_engine_cannot_speak_are_never_a_success(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    book, out = write(tmp_path, UNSPEAKABLE), tmp_path / "out"
    ran = voxmill("render", book, "--out", out, "--language", "en")
    assert ran.code == 3
    assert "1 chunk did not pass the check" in ran.stdout
    assert "The captain said 你好世界 to the crew." in ran.stdout
    assert "cannot speak '你好世界'" in ran.stdout
    assert "Complete" not in ran.stdout
    folder = report_folder(out)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert [each["text"] for each in report["flagged"]] == [
        "The captain said 你好世界 to the crew."
    ]
    page = (folder / "report.html").read_text("utf-8")
    assert "Not complete: 1 flagged chunk" in page
    assert '<audio controls preload="none" src="report_files/chunk-000001.flac">' in page
    assert (folder / "report_files" / "chunk-000001.flac").is_file()
    again = voxmill("render", book, "--out", out, "--language", "en", "--json")
    assert again.code == 3
    assert again.event("Finished")["was_done"]
    assert again.event("Finished")["result"]["state"] == "partial"


def test_an_unchecked_render_says_so_everywhere(voxmill: Voxmill, tmp_path: Path) -> None:
    book, out = write(tmp_path, PLAIN), tmp_path / "out"
    ran = voxmill("render", book, "--out", out, "--check", "off")
    assert ran.code == 0
    assert "nothing was checked" in ran.stdout
    assert "Complete" not in ran.stdout
    assert "note: nothing is checked" in ran.stderr
    page = (report_folder(out) / "report.html").read_text("utf-8")
    assert "Not checked: all 2 sentences have audio" in page
    assert "spoken and checked" not in page


def test_unchecked_words_that_cannot_be_spoken_are_flagged_all_the_same(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    book = write(tmp_path, UNSPEAKABLE)
    ran = voxmill("render", book, "--out", tmp_path / "out", "--check", "off", "--language", "en")
    assert ran.code == 3
    assert "cannot speak '你好世界'" in ran.stdout


def test_one_bad_input_is_named_and_the_good_ones_are_made(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    one, bad = write(tmp_path, PLAIN, "one.txt"), write(tmp_path, " \n", "bad.txt")
    two = write(tmp_path, PLAIN, "two.txt")
    ran = voxmill("render", one, bad, two, "--out", tmp_path / "out", "--json")
    assert ran.code == 2
    kinds = [event["event"] for event in ran.events]
    assert kinds.count("Finished") == 2
    assert kinds.count("Error") == 1
    assert kinds[-1] == "Finished"
    assert str(bad) in ran.event("Error")["message"]
    assert len(list(tmp_path.glob("out/*/*/*.m4b"))) == 2


def test_every_json_line_parses_and_the_last_one_is_the_end(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    book = write(tmp_path, PLAIN)
    ran = voxmill("render", book, "--out", tmp_path / "out", "--json")
    assert ran.code == 0
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert lines[0]["event"] == "Planned"
    assert lines[-1]["event"] == "Finished"
    assert Path(lines[-1]["folder"]).is_dir()
    failed = voxmill("render", tmp_path / "gone.txt", "--out", tmp_path / "out", "--json")
    assert failed.code == 2
    assert json.loads(failed.stdout.splitlines()[-1])["event"] == "Error"


def test_a_pipe_gets_plain_lines(voxmill: Voxmill, tmp_path: Path) -> None:
    ran = voxmill("render", write(tmp_path, PLAIN), "--out", tmp_path / "out")
    assert ran.code == 0
    told = ran.stdout + ran.stderr
    assert "speaking: 1/1 chunks" in ran.stderr
    assert not [c for c in told if not c.isprintable() and c != "\n"]


def test_a_terminal_gets_a_bar_with_rate_and_title_in_brackets(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    book = write(tmp_path, PLAIN)
    command = [*VOXMILL, "render", book, "--out", tmp_path / "out", "--title", "The [/b] Lamp"]
    theirs, ours = pty.openpty()
    env = {**environment, "TERM": "xterm-256color", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=ours, stderr=ours, stdin=ours, env=env) as process:
        os.close(ours)
        told = b""
        while block := _read(theirs):
            told += block
        assert process.wait(timeout=120) == 0
    os.close(theirs)
    text = told.decode()
    assert "The [/b] Lamp: 1 chapter, 1 chunk, about" in text
    assert "\x1b[" in text
    assert "━" in text
    assert "× real time" in text
    assert "Complete: every sentence is spoken and checked." in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the last writer has gone
        return b""


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("他慢慢地走上楼梯，打开了门。外面正在下雨。", (), ("Chinese", "speaks English only")),
        (PLAIN, ("--language", "zh"), ("Chinese", "--language")),
        ("* * *\n\n---\n\n…\n", (), ("no", "words")),
        ("", (), ("empty",)),
    ],
)
def test_what_cannot_be_spoken_is_refused_with_its_reason(
    voxmill: Voxmill, tmp_path: Path, text: str, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    book = write(tmp_path, text)
    ran = voxmill("render", book, "--out", tmp_path / "out", *options)
    assert ran.code == 2
    assert ran.stderr.startswith(f"voxmill: {book}")
    assert all(word in ran.stderr for word in words), ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out").exists()
