"""Whisper hears 30 seconds at a time: how long recordings are cut and short clips packed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.audio import ffmpeg
from pipeline.audio.clip import Samples
from pipeline.errors import InputError
from pipeline.models import mel

WINDOW_S = 30
#: Audio put into one window of a long recording: room is left for the end of the last word.
CUT_S = 28.0
#: How far back from the end of the window a pause is looked for.
CUT_SEARCH_S = 8.0
#: Silence between clips that share a window.
GAP_S = 0.8
#: How much of a file is decoded at a time.
BLOCK_S = 10


def blocks(path: Path) -> Iterator[Samples]:
    """Yield a recording of any format as 16 kHz mono blocks.

    Raises:
        InputError: ffmpeg cannot read the file.
    """
    wanted = ["-ac", "1", "-ar", str(mel.SAMPLE_RATE_HZ), "-f", "f32le", "-"]
    command = ffmpeg.command("-loglevel", "error", "-i", path, "-map", "0:a:0", *wanted)
    size = BLOCK_S * mel.SAMPLE_RATE_HZ * np.dtype(np.float32).itemsize
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        while data := process.stdout.read(size):
            yield np.frombuffer(data, np.float32)
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        remedy = "Check that the file is complete and plays."
        raise InputError(path, f"ffmpeg cannot decode it ({complaint[-200:]}).", remedy=remedy)


def packed(clips: Sequence[Samples]) -> Iterator[list[Samples]]:
    """Group clips so that each group, with its gaps, fits a window."""
    batch: list[Samples] = []
    length = 0.0
    for samples in clips:
        needed = len(samples) / mel.SAMPLE_RATE_HZ + GAP_S
        if batch and length + needed > CUT_S:
            yield batch
            batch, length = [], 0.0
        batch.append(samples)
        length += needed
    if batch:
        yield batch


def places(lengths: Sequence[int], gap: int) -> list[tuple[float, float]]:
    """Return where clips with gaps between them lie, in seconds."""
    starts = np.cumsum([0, *(length + gap for length in lengths)]) / mel.SAMPLE_RATE_HZ
    return [
        (float(start), float(start) + length / mel.SAMPLE_RATE_HZ)
        for start, length in zip(starts[:-1], lengths, strict=True)
    ]


def cut_at_pauses(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield stretches of up to 28 s, each cut at the quietest moment near its end."""
    size, search = int(CUT_S * mel.SAMPLE_RATE_HZ), int(CUT_SEARCH_S * mel.SAMPLE_RATE_HZ)
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > size:
            cut = size - search + _quietest(held[size - search : size])
            yield held[:cut]
            held = held[cut:]
    if len(held):
        yield held


def _quietest(samples: Samples) -> int:
    """Return the middle of the quietest fifth of a second."""
    span = mel.SAMPLE_RATE_HZ // 5
    energy = np.cumsum(np.square(samples, dtype=np.float64))
    return int(np.argmin(energy[span:] - energy[:-span])) + span // 2
