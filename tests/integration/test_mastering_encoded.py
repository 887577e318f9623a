"""Real speech through every profile and every encoder, measured on the encoded files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hibari import Hibari

from pipeline.assembly import placement, stitch
from pipeline.assembly.delivery.encode import encode
from pipeline.assembly.delivery.metadata import Metadata
from pipeline.assembly.mastering import Mastering, master
from pipeline.assembly.measure import measure
from pipeline.assembly.placement import Placements
from pipeline.assembly.profiles import PROFILES, Profile, check
from pipeline.audio.clip import Clip, Samples
from pipeline.audio.energy import speech_span
from pipeline.manifest.marks import Marks, Verdict
from pipeline.manifest.plan import Chunk, Plan, PlannedChapter, Sentence

TEXTS = (
    "The Lighthouse.",
    "Nobody had seen the ship since Tuesday!",
    "He walked slowly down the stairs, counting each of them under his breath.",
    "Why should we go,",
    "she asked, when the whole coast is asleep?",
    "Forty-two steps, and then the sea.",
)
PAUSES_MS = (1100, 420, 700, 180, 420, 700)


@dataclass(frozen=True)
class Book:
    plan: Plan
    marks: dict[int, Marks]
    clips: dict[int, Clip]

    def blocks(self, placed: Placements) -> Iterator[Samples]:
        return stitch.blocks(placed, self.clips.__getitem__)


@pytest.fixture(scope="module")
def book() -> Book:
    engine = Hibari(threads=1)
    clips = {
        i: Clip(np.asarray(engine(text, seed=i), np.float32), 24_000)
        for i, text in enumerate(TEXTS)
    }
    chunks = tuple(
        Chunk(
            index=i,
            chapter=0,
            text=text,
            sentences=(i,),
            voice="heart",
            language="en",
            pause_after_ms=PAUSES_MS[i],
        )
        for i, text in enumerate(TEXTS)
    )
    plan = Plan(
        title="The Lighthouse",
        author=None,
        language="en",
        chapters=(PlannedChapter(title="One", first_chunk=0, n_chunks=len(TEXTS)),),
        sentences=tuple(Sentence(index=i, chapter=0, text=text) for i, text in enumerate(TEXTS)),
        chunks=chunks,
    )
    return Book(plan, {i: _marks(clip) for i, clip in clips.items()}, clips)


def _marks(clip: Clip) -> Marks:
    span = speech_span(clip)
    return Marks(
        key="k",
        audio_sha256="0",
        sample_rate_hz=clip.sample_rate_hz,
        n_samples=len(clip.samples),
        speech_start=span.start,
        speech_end=span.end,
        words=(),
        verdict=Verdict(passed=True, score=1.0, method="gate"),
    )


def _mastered(book: Book, profile: Profile, out: Path) -> Mastering:
    placed = placement.place(book.plan, book.marks, profile)
    return master(lambda: book.blocks(placed), placed.sample_rate_hz, profile, out)


@pytest.mark.parametrize("name", PROFILES)
def test_every_format_of_a_profile_meets_it_once_encoded(
    name: str, book: Book, tmp_path: Path
) -> None:
    profile = PROFILES[name]
    made = _mastered(book, profile, tmp_path / "master.flac")
    for format_name in ("m4b", "mp3", "opus", "flac", "wav"):
        out = tmp_path / f"book.{format_name}"
        encode(
            made.path,
            format_name,
            out,
            metadata=Metadata(title="The Lighthouse", author="A", narrator="heart", language="en"),
            bitrate_kbps=profile.bitrates_kbps.get(format_name),
        )
        assert check(measure(out), profile, format_name) == ()


def test_a_file_made_for_one_profile_fails_another_with_figures(book: Book, tmp_path: Path) -> None:
    made = _mastered(book, PROFILES["podcast"], tmp_path / "master.flac")
    problems = check(measure(made.path), PROFILES["broadcast"], "flac")
    assert any("LUFS, must be -23.20 … -22.80" in problem for problem in problems)


def test_the_joints_of_real_speech_are_quieter_than_the_speech(book: Book) -> None:
    placed = placement.place(book.plan, book.marks, PROFILES["raw"])
    stream = np.concatenate(list(book.blocks(placed)))
    jumps = np.abs(np.diff(stream))
    joints = [edge for one in placed.chunks for edge in (one.offset, one.end)]
    loudest = max(float(jumps[edge - 2 : edge + 2].max()) for edge in joints)
    inside = float(np.percentile(jumps, 99))
    assert loudest < inside / 20


def test_what_is_cut_off_a_take_is_inaudible(book: Book) -> None:
    placed = placement.place(book.plan, book.marks, PROFILES["raw"])
    for one in placed.chunks:
        samples = book.clips[one.chunk].samples
        kept = float(np.sum(np.square(samples[one.cut_start : one.cut_end])))
        lost = float(np.sum(np.square(samples))) - kept
        assert 10 * np.log10(max(lost, 1e-12) / kept) < -55


MASTER_MINUTES = """
import resource, sys
import numpy as np
from pathlib import Path
from pipeline.assembly.mastering import master
from pipeline.assembly.measure import measure
from pipeline.assembly.profiles import PROFILES

second = np.random.default_rng(0).standard_normal(24_000).astype(np.float32) * 0.05
second[8_000:] *= 0.02

def blocks():
    for _ in range(60 * int(sys.argv[1])):
        yield second

master(blocks, 24_000, PROFILES["audiobook"], Path(sys.argv[2]))
measure(Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    used = []
    for minutes in (2, 20):
        done = subprocess.run(
            [sys.executable, "-c", MASTER_MINUTES, str(minutes), str(tmp_path / "m.flac")],
            capture_output=True,
            text=True,
            check=True,
        )
        used.append(int(done.stdout))
    assert used[1] <= used[0] * 1.1
