"""How clearly the audio holds each word of a text, in the words that texts are compared by."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.checking.spoken import comparable
from pipeline.checking.transcript import unequal
from pipeline.models.whisper import AlignedWord


def probabilities(text: str, aligned: Sequence[AlignedWord], language: str) -> list[float]:
    """Return the probability of each comparable word of a text.

    Numbers of several words ("twenty-one" → "21") are as probable as the least probable of them;
    what cannot be traced to a word has probability 0: nothing speaks for it.
    """
    written = comparable(text, language)
    parts = [
        (part, word.probability) for word in aligned for part in comparable(word.text, language)
    ]
    found: list[float] = []
    here = 0
    for a, b, c, d in unequal(written, [part for part, _ in parts]):
        found += [probability for _, probability in parts[here:c]]
        found += [min((probability for _, probability in parts[c:d]), default=0.0)] * (b - a)
        here = d
    return found + [probability for _, probability in parts[here:]]
