"""What the doctor finds on this machine, and on a poorer one."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from pipeline import doctor
from pipeline.audio import ffmpeg
from pipeline.doctor import Finding, Package
from pipeline.settings import Settings
from producer.cli.doctor import doctor as command


@pytest.fixture
def bare(tmp_path: Path) -> Settings:
    """A machine without models."""
    return Settings(
        models_dir=tmp_path / "models",
        voices_dir=tmp_path / "voices",
        gpt_sovits_dir=None,
        whisper_path=None,
        offline=True,
    )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; what is put there replaces the real programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    ffmpeg.path.cache_clear()
    yield tmp_path
    ffmpeg.path.cache_clear()


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_everything_that_can_be_installed_is_found_here(bare: Settings) -> None:
    found = {each.name: each for each in doctor.examine(bare)}
    for name in ("python", "ffmpeg", "pandoc", "voice", "checker", "aligner"):
        assert found[name].is_ok, found[name]
    assert "libmp3lame" in found["ffmpeg"].detail
    assert "speaks" in found["voice"].detail


def test_a_missing_model_comes_with_the_command_that_gets_it(bare: Settings) -> None:
    found = doctor.whisper_model(bare)
    assert not found.is_ok
    assert found.is_needed
    assert "voxmill models pull whisper-base" in found.remedy


def test_cloning_is_no_need_but_comes_with_its_remedy(
    bare: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doctor.cloning(bare)
    assert not found.is_ok
    assert not found.is_needed
    assert "voxmill models pull gpt-sovits-v2" in found.remedy
    monkeypatch.setattr(doctor.catalogue, "missing_packages", lambda _: ("torch",))
    found = doctor.cloning(bare)
    assert "torch" in found.detail
    assert "pip install 'voxmill[gpt-sovits]'" in found.remedy


def test_a_damaged_model_is_named(bare: Settings) -> None:
    folder = bare.models_dir / "whisper-base"
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin"):
        (folder / name).write_bytes(b"not a model")
    found = doctor.whisper_model(bare)
    assert not found.is_ok
    assert "model.bin" in found.detail
    assert "damaged" in found.detail


def test_the_doctor_downloads_nothing(bare: Settings) -> None:
    online = bare.model_copy(update={"offline": False, "hub_url": "http://hub.invalid"})
    assert not doctor.whisper_model(online).is_ok
    assert not bare.models_dir.exists()


def test_an_ffmpeg_without_an_encoder_is_not_enough(programs: Path) -> None:
    listing = " A....D flac  FLAC\n A....D aac   AAC\n A....D libmp3lame  MP3"
    script(programs / "ffmpeg", f"echo 'ffmpeg version 4.2 of today'; echo '{listing}'")
    found = doctor.ffmpeg_program()
    assert not found.is_ok
    assert "4.2" in found.detail
    assert "lacks libopus" in found.detail
    assert "apt-get install ffmpeg" in found.remedy


def test_an_ffmpeg_that_does_not_run_is_told_not_raised(programs: Path) -> None:
    script(programs / "ffmpeg", "exit 3")
    assert not doctor.ffmpeg_program().is_ok


@pytest.mark.parametrize("body", ["raise OSError('libgomp.so.1 is missing')", "value = 1 / 0"])
def test_a_broken_package_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    (tmp_path / "voxmill_broken.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    found = doctor.installed(Package("thing", "voxmill-broken", "voxmill_broken", lambda _: ""))
    assert not found.is_ok
    assert "Error" in found.detail
    assert found.remedy == "pip install --force-reinstall voxmill-broken"


def test_a_model_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = doctor.models_folder(Settings(models_dir=tmp_path / "file" / "models"))
    assert not found.is_ok
    assert "VOXMILL_MODELS_DIR" in found.remedy


@pytest.mark.parametrize(
    ("encoding", "is_ok"), [("utf-8", True), ("UTF8", True), ("ascii", False), ("", False)]
)
def test_a_terminal_must_speak_utf8(encoding: str, is_ok: bool) -> None:
    assert doctor.terminal(encoding).is_ok is is_ok


def run(findings: list[Finding], monkeypatch: pytest.MonkeyPatch, *arguments: str):
    monkeypatch.setattr(doctor, "examine", lambda _: iter(findings))
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


def test_the_command_fails_only_for_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Finding("memory", False, "1.0 GB", "Use VOXMILL_JOBS=1.", is_needed=False)
    done = run([small], monkeypatch)
    assert done.exit_code == 0
    assert "warning" in done.stdout
    lacking = Finding("ffmpeg", False, "not found", "Install it.")
    done = run([small, lacking], monkeypatch)
    assert done.exit_code == 1
    assert "missing  ffmpeg" in done.stdout
    assert "Install it." in done.stdout


def test_the_findings_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run([Finding("python", True, sys.version)], monkeypatch, "--json")
    assert json.loads(done.stdout) == [
        {
            "name": "python",
            "is_ok": True,
            "detail": sys.version,
            "remedy": "",
            "is_needed": True,
        }
    ]
