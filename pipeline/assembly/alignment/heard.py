"""Other languages: from the words Whisper hears to the words of the text."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.assembly.alignment.span import Span
from pipeline.assembly.alignment.words import has_sound
from pipeline.audio.clip import Clip
from pipeline.manifest.plan import Chunk
from pipeline.models.whisper import AlignedWord, Whisper

#: How much later than Whisper says a word starts: between what `bench/alignment.py` finds on the
#: calibration halves of English (40 ms), German (30), Spanish (30) and French (20).
BIAS_S = 0.03
#: How far a boundary may lie from a pause and still be taken to it: Whisper is vague there.
REACH_S = 0.30


def by_hearing(
    whisper: Whisper, chunk: Chunk, words: Sequence[str], clip: Clip
) -> list[Span | None] | None:
    """Return the span of each word, None for one without a sound; or None: no way to match them."""
    heard = whisper.align(clip, chunk.text, chunk.language, precise=True)
    found = spans(words, heard)
    if found is None:
        return None
    return [span if has_sound(word) else None for word, span in zip(words, found, strict=True)]


def spans(words: Sequence[str], heard: Sequence[AlignedWord]) -> list[Span] | None:
    """Return the time of each word; None when the model heard another text.

    Whisper may divide a text otherwise than we do (two Chinese characters at once), so times are
    carried over by character: those of one of its words share its time evenly.
    """
    characters = [span for word in heard for span in _characters(word)]
    if len(characters) != sum(len(word) for word in words):
        return None
    found: list[Span] = []
    at = 0
    for word in words:
        own = characters[at : at + len(word)]
        at += len(word)
        found.append(Span(own[0].start_s, own[-1].end_s).moved(BIAS_S))
    return found


def _characters(word: AlignedWord) -> list[Span]:
    count = sum(not c.isspace() for c in word.text)
    step = (word.end_s - word.start_s) / max(count, 1)
    return [Span(word.start_s + i * step, word.start_s + (i + 1) * step) for i in range(count)]
