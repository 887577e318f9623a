"""Aligns a chunk with its audio: the one entrance to word timings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.assembly.alignment import proportional
from pipeline.assembly.alignment.pronounce import Pronouncer
from pipeline.assembly.alignment.snap import Edge, snapped
from pipeline.assembly.alignment.speech import speech_runs
from pipeline.assembly.alignment.sphinx import BIAS_S, Sphinx, UnitTime
from pipeline.assembly.alignment.words import has_sound, split_words
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan
from pipeline.manifest.marks import Word
from pipeline.manifest.plan import Chunk

if TYPE_CHECKING:
    from pipeline.models.whisper import Whisper

#: Raised when timings change, so that old ones are made again.
VERSION = 1


class Aligner:
    """Word timings for known text.

    Args:
        whisper: For languages other than English; without it they are timed in proportion to
            their letters.
    """

    def __init__(self, whisper: Whisper | None) -> None:
        self._whisper = whisper

    @property
    def fingerprint(self) -> str:
        """What identifies the timings, for keys."""
        return f"align{VERSION}{'w' if self._whisper else ''}"

    def align(self, chunk: Chunk, clip: Clip) -> tuple[Word, ...] | None:
        """Return when each word of the chunk is spoken, in samples of the clip.

        Returns:
            Every word of `split_words`, ordered, not overlapping, inside the clip; or None when
            text and audio do not fit: words are missing, or it is not speech.
        """
        words = split_words(chunk.text, chunk.language)
        runs = speech_runs(clip)
        if not any(has_sound(word) for word in words):
            return proportional.spread(words, runs)
        if not runs:
            return None
        if chunk.language != "en":
            return proportional.spread(words, runs)
        return self._english(chunk, words, clip, runs)

    def fallback(self, chunk: Chunk, clip: Clip) -> tuple[Word, ...]:
        """Return timings in proportion to the letters, for a clip that cannot be aligned."""
        words = split_words(chunk.text, chunk.language)
        return proportional.spread(words, speech_runs(clip))

    def _english(
        self, chunk: Chunk, words: Sequence[str], clip: Clip, runs: Sequence[SpeechSpan]
    ) -> tuple[Word, ...] | None:
        units = self._pronouncer.units(chunk, words)
        times = self._sphinx.align([unit for word in units for unit in word], clip)
        if times is None:
            return None
        edges = _edges([len(word) for word in units], times, clip.sample_rate_hz)
        heard = snapped([edge for edge in edges if edge], runs, clip.sample_rate_hz)
        return _timed(words, edges, heard)

    @cached_property
    def _pronouncer(self) -> Pronouncer:
        return Pronouncer()

    @cached_property
    def _sphinx(self) -> Sphinx:
        return Sphinx()


def _edges(
    counts: Sequence[int], times: Sequence[UnitTime], sample_rate_hz: int
) -> list[Edge | None]:
    """Return the edges of each word from those of its units; None for a word without units."""
    edges: list[Edge | None] = []
    at = 0
    for count in counts:
        own = times[at : at + count]
        at += count
        if not own:
            edges.append(None)
            continue
        start, end = own[0].start_s + BIAS_S, own[-1].end_s + BIAS_S
        edges.append(Edge(round(start * sample_rate_hz), round(end * sample_rate_hz)))
    return edges


def _timed(
    words: Sequence[str], edges: Sequence[Edge | None], heard: Sequence[Edge]
) -> tuple[Word, ...]:
    """Return every word with its edge; a soundless one stands at the end of the word before."""
    timed: list[Word] = []
    rest = iter(heard)
    at = heard[0].start
    for word, edge in zip(words, edges, strict=True):
        own = next(rest) if edge else Edge(at, at)
        timed.append(Word(text=word, start_sample=own.start, end_sample=own.end))
        at = own.end
    return tuple(timed)
