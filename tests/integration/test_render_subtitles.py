"""The subtitles of a real render: parsed again, and compared with an independent listener."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from conftest import BOOK, Ran

from pipeline.audio.clip import Clip
from pipeline.models.whisper import Whisper

Voxmill = Callable[..., Ran]

#: What the book says, word by word; the scene break and the metadata are not spoken.
SPOKEN = re.sub(r"(?s)^---.*?---|[#*]", " ", BOOK).split()


@dataclass(frozen=True)
class Cue:
    start_s: float
    end_s: float
    text: str


@pytest.fixture(scope="module")
def folder(voxmill: Voxmill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered book with every kind of subtitles."""
    at = tmp_path_factory.mktemp("subtitled")
    (at / "small.md").write_text(BOOK, encoding="utf-8")
    options = ("--formats", "flac", "--subtitles", "srt,vtt,ass,json")
    ran = voxmill("render", at / "small.md", "--out", at / "out", *options)
    assert ran.code == 0, ran.stderr
    return at / "out" / "A. Writer" / "The Small Book"


@pytest.fixture(scope="module")
def duration_s(folder: Path) -> float:
    return float(soundfile.info(folder / "The Small Book.flac").duration)


def seconds(text: str) -> float:
    hours, minutes, rest = text.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def timed_blocks(path: Path) -> Iterator[Cue]:
    """Read SRT or WebVTT: blocks of a time line and text lines."""
    for block in path.read_text("utf-8").strip().split("\n\n"):
        lines = block.splitlines()
        at = next((i for i, line in enumerate(lines) if "-->" in line), None)
        if at is not None:
            start, _, end = lines[at].split()[:3]
            yield Cue(seconds(start), seconds(end), "\n".join(lines[at + 1 :]))


def ass_events(path: Path) -> Iterator[Cue]:
    for line in path.read_text("utf-8-sig").splitlines():
        if line.startswith("Dialogue:"):
            _, start, end, *_, text = line.split(",", 9)
            shown = re.sub(r"\{[^}]*\}", "", text).replace("\\N", "\n")
            yield Cue(seconds(start), seconds(end), shown)


def json_cues(path: Path) -> Iterator[Cue]:
    for cue in json.loads(path.read_text("utf-8"))["cues"]:
        yield Cue(cue["start_s"], cue["end_s"], "\n".join(cue["lines"]))


READERS = {"srt": timed_blocks, "vtt": timed_blocks, "ass": ass_events, "json": json_cues}


@pytest.mark.parametrize("kind", READERS)
def test_cues_are_ordered_readable_inside_the_file_and_say_everything(
    kind: str, folder: Path, duration_s: float
) -> None:
    cues = list(READERS[kind](folder / f"The Small Book.{kind}"))
    shown = [re.sub(r"<[^>]*>", "", cue.text) for cue in cues]
    assert " ".join(shown).split() == SPOKEN
    assert all(0 <= cue.start_s < cue.end_s <= duration_s for cue in cues)
    assert all(one.end_s <= two.start_s for one, two in pairwise(cues))
    for text in shown:
        lines = text.splitlines()
        assert len(lines) <= 2
        assert max(map(len, lines)) <= 42


def words_of(folder: Path) -> list[dict[str, Any]]:
    document = json.loads((folder / "The Small Book.json").read_text("utf-8"))
    return [word for sentence in document["sentences"] for word in sentence["words"]]


def test_words_are_in_order_and_complete(folder: Path, duration_s: float) -> None:
    words = words_of(folder)
    assert [word["text"] for word in words] == SPOKEN
    assert all(0 <= word["start_s"] < word["end_s"] <= duration_s for word in words)
    assert all(one["end_s"] <= two["start_s"] + 1e-6 for one, two in pairwise(words))


def test_words_are_where_whisper_hears_them(folder: Path, whisper_dir: Path) -> None:
    """Whisper aligns each sentence by its own attention: another method, another model."""
    samples, rate = soundfile.read(folder / "The Small Book.flac", dtype="float32")
    whisper = Whisper(whisper_dir, threads=2)
    document = json.loads((folder / "The Small Book.json").read_text("utf-8"))
    apart = []
    for sentence in document["sentences"]:
        from_s = max(0.0, sentence["start_s"] - 0.2)
        piece = samples[round(from_s * rate) : round((sentence["end_s"] + 0.2) * rate)]
        heard = whisper.align(
            Clip(soxr.resample(piece, rate, 24_000), 24_000), sentence["text"], "en"
        )
        assert len(heard) == len(sentence["words"])
        apart += [
            abs(from_s + theirs.start_s - ours["start_s"])
            for theirs, ours in zip(heard, sentence["words"], strict=True)
        ]
    assert max(apart) <= 0.3
    assert float(np.median(apart)) <= 0.1
