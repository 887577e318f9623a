"""The cheap check of every take: does the audio hold each word, and nothing else?

Whisper is made to read the script along with the audio (no search, no padding) and tells how
probable it finds each word. The aligner's timings tell what no probability does: a word that takes
far longer than its sounds hides another one, and so does speech that no word claims.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.audio.energy import SPEECH_FLOOR_DB, frame_levels_db, speech_span
from pipeline.checking.policy import Limits
from pipeline.checking.spoken import sound
from pipeline.manifest.marks import Defect, Word
from pipeline.models.whisper import AlignedWord

FRAME_S = 0.02
#: Numbers and joined words ("555-0199", "1,250", "door—slowly") may be spoken with a pause inside.
BREAK_S = 0.4
_BREAK = re.compile(r"(?<=\w)[-–—,.:/](?=\w)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate found, worst place first."""

    #: Probability of the word that Whisper is least sure of.
    probability: float
    weakest: str
    #: Time the longest word takes beyond what its sounds explain.
    excess_s: float
    longest: str
    #: Longest stretch of speech that no word claims, and the word before it.
    unclaimed_s: float
    before_unclaimed: str
    #: From the first sound to the last.
    speech_s: float
    #: The aligner could not fit the text to the audio.
    is_refused: bool

    def is_suspect(self, limits: Limits) -> bool:
        """Tell whether the take must be transcribed."""
        return (
            self.is_refused
            or self.probability < limits.unsure_probability
            or self.excess_s > limits.suspect_excess_s
            or self.unclaimed_s > limits.suspect_unclaimed_s
        )

    def defects(self, limits: Limits) -> list[Defect]:
        """Return what is wrong beyond doubt: no transcript can clear it."""
        found: list[Defect] = []
        if self.is_refused and self.probability < limits.sure_probability:
            detail = f"the words do not fit the audio; {self.weakest!r} is the least certain"
            found.append(Defect(kind="unaligned", detail=detail))
        if self.probability < limits.absent_probability:
            found.append(Defect(kind="missing", detail=f"{self.weakest!r} is not heard"))
        if self.excess_s > limits.certain_excess_s:
            detail = f"{self.excess_s:.1f} s of other speech at {self.longest!r}"
            found.append(Defect(kind="extra", detail=detail))
        if self.unclaimed_s > limits.certain_unclaimed_s:
            detail = f"{self.unclaimed_s:.1f} s of other speech after {self.before_unclaimed!r}"
            found.append(Defect(kind="extra", detail=detail))
        return found


def weigh(
    clip: Clip,
    aligned: Sequence[AlignedWord],
    words: Sequence[Word] | None,
    language: str,
    limits: Limits,
) -> Evidence:
    """Return the gate's evidence on a take.

    Args:
        clip: The take.
        aligned: The script as Whisper reads it along with the audio.
        words: The aligner's timings; None when it refused.
        language: The script's language.
        limits: Limits for that language.
    """
    sounding = [word for word in aligned if _has_sound(word.text)]
    weakest = min(sounding, key=lambda word: word.probability, default=None)
    excess_s, longest = _excess(clip, words or (), language, limits.sound_s)
    unclaimed_s, before = _unclaimed(clip, words or ())
    span = speech_span(clip)
    return Evidence(
        probability=weakest.probability if weakest else 1.0,
        weakest=weakest.text.strip() if weakest else "",
        excess_s=excess_s,
        longest=longest,
        unclaimed_s=unclaimed_s,
        before_unclaimed=before,
        speech_s=(span.end - span.start) / clip.sample_rate_hz,
        is_refused=words is None,
    )


def _excess(clip: Clip, words: Sequence[Word], language: str, sound_s: float) -> tuple[float, str]:
    """Return the largest excess of a word, and the word."""
    found = [
        (_length_s(word, clip) - _expected_s(word.text, language, sound_s), word.text)
        for word in words
        if _has_sound(word.text)
    ]
    return max(found, default=(0.0, ""))


def _length_s(word: Word, clip: Clip) -> float:
    return (word.end_sample - word.start_sample) / clip.sample_rate_hz


def _expected_s(text: str, language: str, sound_s: float) -> float:
    """Return how long a word may take: its sounds, and pauses where it has breaks inside."""
    return sound_s * len(sound([text], language)) + BREAK_S * len(_BREAK.findall(text))


def _unclaimed(clip: Clip, words: Sequence[Word]) -> tuple[float, str]:
    """Return the length of the longest speech outside all words, and the word before it."""
    if not words:
        return 0.0, ""
    frame = int(FRAME_S * clip.sample_rate_hz)
    free = frame_levels_db(clip.samples, frame) > SPEECH_FLOOR_DB
    for word in words:
        free[word.start_sample // frame : -(-word.end_sample // frame)] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(np.int8), [0]])))
    runs = [(int(end - start), int(start)) for start, end in edges.reshape(-1, 2)]
    length, start = max(runs, default=(0, 0))
    before = [word.text for word in words if word.end_sample <= (start + 1) * frame]
    return length * FRAME_S, before[-1] if before else ""


def _has_sound(text: str) -> bool:
    return any(char.isalnum() for char in text)
