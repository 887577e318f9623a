"""Which few seconds of a recording make the best reference: whole phrases, clean and well paced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.audio.energy import SpeechSpan
from pipeline.models.whisper import AlignedWord

#: A reference is this long, in seconds: what the cloning engine accepts …
SHORTEST_S, LONGEST_S = 3.0, 10.0
#: … and what serves it best.
BEST_S = (5.0, 9.0)
#: How far from a pause Whisper may place the boundary between two words.
REACH_S = 0.35
#: A longer pause inside is not how the voice reads.
LONG_PAUSE_S = 0.5
SENTENCE_ENDS = tuple(".!?…。！？")
CLOSING = "\"'”’»)）」』 "
#: Clipped peaks a second that are not heard.
MAX_CLIPPED_PER_S = 3.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span from pause to pause, and what is said in it."""

    #: Samples of the recording.
    start: int
    end: int
    text: str
    #: The higher the better; comparable within one recording only.
    score: float


def candidates(
    runs: Sequence[SpeechSpan], words: Sequence[AlignedWord], rate_hz: int
) -> list[Candidate]:
    """Return all spans of the right length that begin and end at a pause, the best first."""
    cuts = _cuts(runs, words, rate_hz)
    found = []
    for first, start in enumerate(runs):
        for last in range(first, len(runs)):
            seconds = (runs[last].end - start.start) / rate_hz
            a, b = cuts[first], cuts[last + 1]
            if seconds < SHORTEST_S or a is None or b is None or a >= b:
                continue
            if seconds > LONGEST_S:
                break
            score = _score(runs[first : last + 1], words, (a, b), rate_hz)
            text = "".join(word.text for word in words[a:b]).strip()
            found.append(Candidate(start.start, runs[last].end, text, score))
    return sorted(found, key=lambda each: (-each.score, each.start))


def silent_candidates(runs: Sequence[SpeechSpan], rate_hz: int) -> list[Candidate]:
    """Return the spans of a recording whose words do not matter, the best first."""
    silent = [AlignedWord("", run.start / rate_hz, run.end / rate_hz, 1.0) for run in runs]
    return candidates(runs, silent, rate_hz)


def is_clipped(clipped: npt.NDArray[np.int64], start: int, end: int, rate_hz: int) -> bool:
    """Tell whether peaks are cut off between two samples so often that it is heard."""
    inside = int(np.count_nonzero((clipped >= start) & (clipped < end)))
    return inside > MAX_CLIPPED_PER_S * (end - start) / rate_hz


def _cuts(
    runs: Sequence[SpeechSpan], words: Sequence[AlignedWord], rate_hz: int
) -> list[int | None]:
    """Return the number of words before each run and the end; None where no boundary is near."""
    ends = [(before.end_s, after.start_s) for before, after in pairwise(words)]
    cuts: list[int | None] = [0]
    for before, after in pairwise(runs):
        pause = (before.end / rate_hz, after.start / rate_hz)
        apart = [max(0.0, pause[0] - start, end - pause[1]) for end, start in ends]
        at = int(np.argmin(apart)) if apart else 0
        cuts.append(at + 1 if apart and apart[at] <= REACH_S else None)
    return [*cuts, len(words)]


def _score(
    runs: Sequence[SpeechSpan], words: Sequence[AlignedWord], cut: tuple[int, int], rate_hz: int
) -> float:
    first, last = cut
    seconds = (runs[-1].end - runs[0].start) / rate_hz
    longest = max(((b.start - a.end) / rate_hz for a, b in pairwise(runs)), default=0.0)
    off = max(0.0, BEST_S[0] - seconds, seconds - BEST_S[1])
    return (
        2.0 * (first == 0 or _ends_sentence(words[first - 1].text))
        + 2.0 * _ends_sentence(words[last - 1].text)
        + 3.0 * float(np.mean([word.probability for word in words[first:last]]))
        - off
        - 2.0 * max(0.0, longest - LONG_PAUSE_S)
    )


def _ends_sentence(text: str) -> bool:
    return text.rstrip(CLOSING).endswith(SENTENCE_ENDS)
