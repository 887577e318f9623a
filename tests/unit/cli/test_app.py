from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producer.cli.app import app

VOXMILL = Path(sys.executable).with_name("voxmill")
EXAMPLE = Path(__file__).parents[3] / "examples" / "the-tide-clock.md"


def voxmill(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [VOXMILL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from producer.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pydantic', 'ctranslate2', 'onnxruntime', 'pipeline.run'}\n"
        "print('HEAVY', heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("render", "plan", "verify", "models", "voices", "doctor"):
        assert f" {command} " in done.stdout
    assert "HEAVY set()" in done.stdout


def test_version_is_the_packages_own() -> None:
    assert voxmill("--version").stdout.startswith("voxmill 0.")


def test_completion_can_be_had() -> None:
    """From a shell of the test's own: whose completion is shown depends on who asks."""
    asked = f"{shlex.quote(str(VOXMILL))} --show-completion; exit $?"
    done = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert "_VOXMILL_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--formats", "m4b,wma"), "unknown wma; choose of m4b, mp3"),
        (("--subtitles", "sub"), "unknown sub"),
        (("--voices", "host"), "'host' is not like host=heart"),
        (("--pauses", "sentence=long"), "give milliseconds"),
        (("--profile", "cd"), "'cd' is not one of"),
        (("--speed", "9"), "less than or equal to 2"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_right(
    arguments: tuple[str, ...], words: str
) -> None:
    result = CliRunner().invoke(app, ["render", str(EXAMPLE), "--out", "x", *arguments])
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())


def test_a_missing_input_is_named_with_the_remedy_and_exit_code_2() -> None:
    done = voxmill("plan", "nowhere.epub")
    assert done.returncode == 2
    assert "nowhere.epub" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_shows_chapters_and_duration_without_a_sound() -> None:
    done = voxmill("plan", str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    assert "The Tide Clock by The Voxmill Authors (en)" in done.stdout
    assert "Chapter 2: What the Sea Keeps" in done.stdout
    assert "chunks" in done.stdout.splitlines()[-1]


def test_plan_as_json_holds_every_chunk() -> None:
    plan = json.loads(voxmill("plan", str(EXAMPLE), "--json").stdout)["plan"]
    text = " ".join(chunk["text"] for chunk in plan["chunks"])
    assert "Dear Dr. Ames, it began." in text
    assert "*" not in text


def test_an_unknown_voice_names_the_ones_there_are() -> None:
    done = voxmill("plan", str(EXAMPLE), "--voice", "nobody")
    assert done.returncode == 2
    assert "heart, emma" in done.stderr


def test_voices_lists_the_bundled_one_as_ready() -> None:
    rows = json.loads(voxmill("voices", "list", "--json").stdout)
    assert {"voice": "heart", "installed": True}.items() <= rows[0].items()
    assert all(row["installed"] or row["remedy"] for row in rows)
