"""How much of each sentence is heard in the transcript of a long recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.checking.spoken import comparable
from pipeline.checking.transcript import Difference, differences_of

#: Stretches that differ by less than this share of their sounds were heard, and written otherwise.
SAME_SOUND = 0.4


@dataclass(frozen=True, slots=True)
class Coverage:
    """Sentences against a transcript."""

    #: Share of each sentence's words that were heard, 0 … 1; 1 for a sentence without words.
    heard: tuple[float, ...]
    n_words: int
    #: Words missing, extra or other, what only sounds alike included: the usual word errors.
    n_errors: int
    #: Stretches in which something else was heard than written, for people.
    details: tuple[str, ...]


def coverage(sentences: Sequence[str], transcript: str, language: str) -> Coverage:
    """Compare sentences, in order, with what was heard of them all."""
    counted = [comparable(sentence, language) for sentence in sentences]
    written = [word for words in counted for word in words]
    found = differences_of(written, comparable(transcript, language), language)
    missed = [False] * len(written)
    wrong = [difference for difference in found if difference.distance > SAME_SOUND]
    for difference in wrong:
        for at in range(difference.at, difference.at + len(difference.written)):
            missed[at] = True
    return Coverage(
        heard=tuple(_shares(counted, missed)),
        n_words=len(written),
        n_errors=sum(map(_errors, found)),
        details=tuple(difference.detail for difference in wrong),
    )


def _errors(difference: Difference) -> int:
    return max(len(difference.written), len(difference.heard))


def _shares(counted: Sequence[Sequence[str]], missed: Sequence[bool]) -> list[float]:
    shares, at = [], 0
    for words in counted:
        n_missed = sum(missed[at : at + len(words)])
        shares.append(1.0 - n_missed / len(words) if words else 1.0)
        at += len(words)
    return shares
