"""Aligns a chunk with its audio: the one entrance to word timings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.assembly.alignment import heard, proportional, sphinx
from pipeline.assembly.alignment.pronounce import Pronouncer
from pipeline.assembly.alignment.snap import Edge, snapped
from pipeline.assembly.alignment.span import Span
from pipeline.assembly.alignment.speech import speech_runs
from pipeline.assembly.alignment.words import has_sound, split_words
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan
from pipeline.manifest.marks import Word
from pipeline.manifest.plan import Chunk

if TYPE_CHECKING:
    from pipeline.models.whisper import Whisper

#: Raised when timings change, so that old ones are made again.
VERSION = 3


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
        if chunk.language == "en":
            spans, reach_s = self._by_phones(chunk, words, clip, runs), sphinx.REACH_S
        elif self._whisper is None:
            return proportional.spread(words, runs)
        else:
            spans, reach_s = heard.by_hearing(self._whisper, chunk, words, clip), heard.REACH_S
        if spans is None:
            return None
        return _timed(words, spans, runs, clip.sample_rate_hz, reach_s)

    def fallback(self, chunk: Chunk, clip: Clip) -> tuple[Word, ...]:
        """Return timings in proportion to the letters, for a clip that cannot be aligned."""
        words = split_words(chunk.text, chunk.language)
        return proportional.spread(words, speech_runs(clip))

    def _by_phones(
        self, chunk: Chunk, words: Sequence[str], clip: Clip, runs: Sequence[SpeechSpan]
    ) -> list[Span | None] | None:
        """English: return the span of each word, None for one without a sound."""
        units = self._pronouncer.units(chunk, words)
        if not any(units):
            return None
        speech = SpeechSpan(runs[0].start, runs[-1].end)
        times = sphinx.align([unit for word in units for unit in word], clip, speech)
        return None if times is None else _joined([len(word) for word in units], times)

    @cached_property
    def _pronouncer(self) -> Pronouncer:
        return Pronouncer()


def _joined(counts: Sequence[int], times: Sequence[Span]) -> list[Span | None]:
    """Return the span of each word from those of its units."""
    spans: list[Span | None] = []
    at = 0
    for count in counts:
        own = times[at : at + count]
        at += count
        spans.append(Span(own[0].start_s, own[-1].end_s) if own else None)
    return spans


def _timed(
    words: Sequence[str],
    spans: Sequence[Span | None],
    runs: Sequence[SpeechSpan],
    sample_rate_hz: int,
    reach_s: float,
) -> tuple[Word, ...]:
    """Return every word, snapped; one without a sound stands at the end of the word before."""
    rate = sample_rate_hz
    edges = [Edge(round(s.start_s * rate), round(s.end_s * rate)) for s in spans if s]
    moved = iter(snapped(edges, runs, round(reach_s * rate)))
    timed: list[Word] = []
    at = runs[0].start
    for word, span in zip(words, spans, strict=True):
        edge = next(moved) if span else Edge(at, at)
        timed.append(Word(text=word, start_sample=edge.start, end_sample=edge.end))
        at = edge.end
    return tuple(timed)
