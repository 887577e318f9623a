"""Dialogue, voices, pauses and lexicon, from the text to the sound of the finished file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import Ran

Voxmill = Callable[..., Ran]

RAW = ("--profile", "raw", "--subtitles", "json")

DIALOGUE = """HOST: Good evening, and welcome to the show.

GUEST: Thank you. It is good to be here. [pause 800ms] I have been looking forward to it.

[voice: heart] Nobody said anything for a while.
"""


def write(folder: Path, text: str, name: str = "script.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def timing(out: Path) -> dict[str, tuple[float, float]]:
    """Where each sentence lies in the finished file."""
    (path,) = [path for path in out.glob("*/*/*.json") if path.name != "report.json"]
    sentences = json.loads(path.read_text("utf-8"))["sentences"]
    return {each["text"]: (each["start_s"], each["end_s"]) for each in sentences}


def sound(out: Path, start_s: float, end_s: float) -> np.ndarray:
    (path,) = out.glob("*/*/*.flac")
    samples, rate = soundfile.read(path, dtype="float32")
    return samples[round(start_s * rate) : round(end_s * rate)]


def test_a_dialogue_is_spoken_without_the_names_and_with_its_pause(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    script, out = write(tmp_path, DIALOGUE), tmp_path / "out"
    ran = voxmill("render", script, "--out", out, "--voices", "host=heart,guest=heart", *RAW)
    assert ran.code == 0, ran.stderr
    times = timing(out)
    assert list(times) == [
        "Good evening, and welcome to the show.",
        "Thank you.",
        "It is good to be here.",
        "I have been looking forward to it.",
        "Nobody said anything for a while.",
    ]
    end_s, start_s = (
        times["It is good to be here."][1],
        times["I have been looking forward to it."][0],
    )
    assert start_s - end_s == pytest.approx(0.8, abs=0.05)
    quiet = sound(out, end_s + 0.1, start_s - 0.06)
    assert 20 * np.log10(np.sqrt(np.mean(np.square(quiet))) + 1e-9) < -55


def test_an_unknown_voice_in_the_text_is_an_error_with_its_place(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    script = write(tmp_path, "It was late.\n\n[voice: nobody] Who is there?\n")
    ran = voxmill("render", script, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "script.txt, line 3" in ran.stderr
    assert "nobody" in ran.stderr
    assert "heart" in ran.stderr


@pytest.mark.parametrize("options", [("--voice", "fenrir"), ("--voices", "host=fenrir")])
def test_a_voice_whose_file_is_missing_names_the_command_that_fetches_it(
    voxmill: Voxmill, tmp_path: Path, options: tuple[str, str]
) -> None:
    script = write(tmp_path, DIALOGUE)
    env = {"VOXMILL_MODELS_DIR": str(tmp_path / "none")}
    ran = voxmill("render", script, "--out", tmp_path / "out", *options, env=env)
    assert ran.code in {1, 2}
    assert "voxmill models pull hibari-fenrir" in ran.stderr
    assert not list(tmp_path.glob("out/*/*/*.m4b"))


def test_an_edited_lexicon_entry_costs_its_chunks_and_changes_their_sound(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    text = "The boat came from Leicester today.\n\nIt was very cold.\n\nNobody was on board.\n"
    script, out, lexicon = write(tmp_path, text), tmp_path / "out", tmp_path / "names.csv"
    options = ("--out", out, "--lexicon", lexicon, "--json", *RAW)
    lexicon.write_text("word,respelling\nLeicester,Lester\n", encoding="utf-8")
    first = voxmill("render", script, *options)
    assert first.code == 0, first.stderr
    named = "The boat came from Leicester today."
    before = {each: sound(out, *span) for each, span in timing(out).items()}
    lexicon.write_text("word,respelling\nLeicester,Lie sester\n", encoding="utf-8")
    second = voxmill("render", script, *options)
    # The checker hears another word than the text has, and may say so; nothing else may fail.
    assert second.code in {0, 3}, second.stderr
    planned = second.event("Planned")
    assert (planned["n_chunks"], planned["n_cached"]) == (3, 2)
    after = {each: sound(out, *span) for each, span in timing(out).items()}
    assert len(after[named]) != len(before[named])
    for each in ("It was very cold.", "Nobody was on board."):
        n_samples = min(len(before[each]), len(after[each]))
        assert np.abs(before[each][:n_samples] - after[each][:n_samples]).max() < 0.01
