"""The whole of `voxmill render`: speed, share of the pipeline, memory, words, quality, resuming.

    python -m bench.render [--minutes 20] [--long-minutes 120]

Every figure comes from the real command in its own process. `--long-minutes 0` leaves out the
long render that shows how memory grows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import prose, table
from bench.memory import PeakMemory
from bench.words import word_error_rate
from pipeline.audio.clip import Clip
from pipeline.models import mel, resolve, windows
from pipeline.models.whisper import Whisper
from pipeline.settings import Settings
from pipeline.voices import dnsmos

#: Stages whose work would be there with any pipeline; the rest is ours to keep small.
MODEL_STAGES = {"engine", "checking", "alignment", "loading"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command."""

    wall_s: float
    peak_mb: float
    finished: dict[str, Any]

    @property
    def audio_s(self) -> float:
        """Length of what was made."""
        return float(self.finished["result"]["duration_s"])


def run(book: Path, out: Path, *options: str) -> Run:
    """Render a book with the command as a user would, and watch it."""
    command = [sys.executable, "-m", "producer.cli.app", "render", str(book), "--out", str(out)]
    command += options
    started = time.perf_counter()
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        memory = PeakMemory(process.pid)
        memory.start()
        output, _ = process.communicate()
    wall_s = time.perf_counter() - started
    memory.join()
    assert process.returncode in {0, 3}, output[-2000:]
    finished = json.loads(output.splitlines()[-1])
    return Run(wall_s, memory.peak_mb, finished)


def pipeline_share(spent_s: dict[str, float]) -> float:
    """Return the part of all processor time that is not spent in models."""
    ours = sum(seconds for stage, seconds in spent_s.items() if stage not in MODEL_STAGES)
    return ours / sum(spent_s.values())


def quality(out: Path, final: Path) -> dict[str, float]:
    """Return DNSMOS of the chunks as the engine made them, stitched only, and of the final file.

    DNSMOS hears level too, so the chunks are also scored at the level of the final file.
    """
    model = dnsmos.load()
    assert model, "pip install speechmos"
    chunks, finished = whole(audio_of(out, "wav")), whole(final)
    gain = np.sqrt(np.mean(finished.samples**2) / np.mean(chunks.samples**2))
    louder = Clip(np.clip(chunks.samples * gain, -1, 1).astype(np.float32), mel.SAMPLE_RATE_HZ)
    return {
        "dnsmos_chunks": model.overall(chunks),
        "dnsmos_chunks_at_final_level": model.overall(louder),
        "dnsmos_final": model.overall(finished),
    }


def audio_of(out: Path, suffix: str) -> Path:
    """Return the one finished file with a suffix."""
    (path,) = (path for path in out.rglob(f"*.{suffix}") if ".voxmill" not in path.parts)
    return path


def whole(path: Path) -> Clip:
    """Return a finished file as one clip; twenty minutes fit."""
    return Clip(np.concatenate(list(windows.blocks(path))), mel.SAMPLE_RATE_HZ)


def measure(minutes: float, long_minutes: float, folder: Path) -> dict[str, Any]:
    """Run everything and return the figures."""
    book, out = folder / "book.md", folder / "out"
    prose.write_book(book, minutes=minutes, seed=1)
    first, again = run(book, out), run(book, out)
    run(book, out, "--profile", "raw", "--formats", "wav", "--subtitles", "none")
    audio = audio_of(out, "m4b")
    settings = Settings()
    whisper = Whisper(resolve.model_dir("whisper-base", settings=settings), os.cpu_count() or 1)
    heard = whisper.transcribe_file(audio, "en")
    figures: dict[str, Any] = {
        "audio_s": first.audio_s,
        "wall_s": first.wall_s,
        "x_real_time": first.audio_s / first.wall_s,
        "spent_s": first.finished["spent_s"],
        "pipeline_share": pipeline_share(first.finished["spent_s"]),
        "busy_cores": sum(first.finished["spent_s"].values()) / first.wall_s,
        "flagged": first.finished["result"]["n_flagged"],
        "chunks": first.finished["result"]["n_chunks"],
        "peak_mb": first.peak_mb,
        "resume_s": again.wall_s,
        "wer": word_error_rate(book, heard),
        **quality(out, audio),
    }
    if long_minutes:
        prose.write_book(folder / "long.md", minutes=long_minutes, seed=2, chapters=12)
        long = run(folder / "long.md", folder / "long")
        figures |= {
            "long_audio_s": long.audio_s,
            "long_x_real_time": long.audio_s / long.wall_s,
            "long_peak_mb": long.peak_mb,
            "memory_growth": long.peak_mb / first.peak_mb,
        }
    return figures


#: (figure, what it must reach, direction)
TARGETS = (
    ("x_real_time", 12.0, "≥"),
    ("pipeline_share", 0.10, "≤"),
    ("peak_mb", 1500.0, "≤"),
    ("memory_growth", 1.1, "≤"),
    ("long_peak_mb", 1500.0, "≤"),
    ("wer", 0.03, "≤"),
    ("dnsmos_loss", 0.05, "≤"),
    ("dnsmos_loss_at_same_level", 0.05, "≤"),
    ("resume_s", 5.0, "<"),
)


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--long-minutes", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments.minutes, arguments.long_minutes, Path(folder))
    figures["dnsmos_loss"] = figures["dnsmos_chunks"] - figures["dnsmos_final"]
    figures["dnsmos_loss_at_same_level"] = (
        figures["dnsmos_chunks_at_final_level"] - figures["dnsmos_final"]
    )
    rows = [
        {"figure": name, "target": f"{sign} {target:g}", "reached": figures[name]}
        for name, target, sign in TARGETS
        if name in figures
    ]
    table.show(f"voxmill render, {figures['audio_s'] / 60:.1f} minutes of audio", rows)
    table.show(
        "Processor seconds by stage",
        [{"stage": s, "seconds": v} for s, v in figures["spent_s"].items()],
    )
    table.save("render", figures)


if __name__ == "__main__":
    main()
