"""Pictures of sound: the peak level of each of a few hundred columns, read as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from pipeline.errors import CorruptObjectError
from pipeline.manifest.timeline import TimedChapter

#: Columns of a picture: more cannot be told apart on a page.
N_COLUMNS = 480
#: Full scale of a column.
FULL = 100
#: How much is in memory at once.
BLOCK_S = 4


@dataclass(frozen=True, slots=True)
class Waveform:
    """The peaks of a chapter, 0 … `FULL`, one for each column."""

    peaks: tuple[int, ...]


def waveforms(master: Path, chapters: Sequence[TimedChapter]) -> tuple[Waveform, ...]:
    """Return the picture of each chapter; the chapters touch and are in order.

    Raises:
        CorruptObjectError: The master is not a readable audio file.
    """
    try:
        with soundfile.SoundFile(master) as file:
            return tuple(_waveform(file, chapter) for chapter in chapters)
    except soundfile.LibsndfileError as error:
        raise CorruptObjectError(
            f"{master}: not a readable audio file ({error}). Run the same command again."
        ) from error


def _waveform(file: soundfile.SoundFile, chapter: TimedChapter) -> Waveform:
    start = min(round(chapter.start_s * file.samplerate), file.frames)
    end = min(round(chapter.end_s * file.samplerate), file.frames)
    edges = np.linspace(start, end, N_COLUMNS + 1).astype(np.int64)
    peaks = np.zeros(N_COLUMNS, np.float32)
    file.seek(start)
    position, block = start, BLOCK_S * file.samplerate
    while position < end:
        samples = file.read(min(block, end - position), dtype="float32", always_2d=True)
        if not len(samples):
            break
        _raise_peaks(peaks, edges, position, samples)
        position += len(samples)
    return Waveform(tuple(round(FULL * min(1.0, float(peak))) for peak in peaks))


def _raise_peaks(
    peaks: np.ndarray[tuple[int], np.dtype[np.float32]],
    edges: np.ndarray[tuple[int], np.dtype[np.int64]],
    position: int,
    samples: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    """Let a block `[T, C]` that begins at `position` raise the peaks of the columns it touches."""
    first = int(np.searchsorted(edges, position, side="right")) - 1
    last = int(np.searchsorted(edges, position + len(samples), side="left"))
    starts = np.maximum(edges[first:last] - position, 0)
    # Columns narrower than a sample start where their neighbour does: reduceat allows that.
    levels = np.maximum.reduceat(np.abs(samples).max(axis=1), np.minimum(starts, len(samples) - 1))
    peaks[first:last] = np.maximum(peaks[first:last], levels)
