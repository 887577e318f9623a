"""How strictly takes are checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.manifest.request import CheckMode

#: Raised when the same take may get another verdict.
VERSION = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still taken for right; set on sentences that no published figure is measured on."""

    #: Every word is surely there when Whisper hears the weakest with this probability.
    sure_probability: float
    #: Below this a take is transcribed …
    unsure_probability: float
    #: … and below this even a perfect transcript does not save it: Whisper guesses missing words.
    absent_probability: float
    #: Words are in the audio, whatever the transcript has in their place, with this probability for
    #: each sound that differs, times the share of the sounds that do …
    audible_per_sound: float
    #: … with no less than the first, and surely with the second.
    audible_least: float
    audible_most: float
    #: Time that a sound takes in slow speech; what a word takes beyond all its sounds is excess.
    sound_s: float
    #: Excess that has a take transcribed, and excess that fails it.
    suspect_excess_s: float
    certain_excess_s: float
    #: The same for speech that no word claims.
    suspect_unclaimed_s: float
    certain_unclaimed_s: float
    #: Heard and written text may differ by this share of the sounds of the words in question.
    max_distance: float
    #: A phrase takes at least the first and, for each sound, the second, however quickly spoken.
    quick_phrase_s: float
    quick_sound_s: float
    #: Of texts with no more sounds than these a transcript tells nothing.
    tiny_sounds: int

    def audible(self, n_sounds: int, distance: float) -> float:
        """Return how probable words must be when so many of their sounds differ."""
        needed = self.audible_per_sound * n_sounds * distance
        return min(self.audible_most, max(self.audible_least, needed))


ENGLISH = Limits(
    sure_probability=0.40,
    unsure_probability=0.40,
    absent_probability=0.002,
    audible_per_sound=0.15,
    audible_least=0.15,
    audible_most=0.50,
    sound_s=0.08,
    suspect_excess_s=0.20,
    certain_excess_s=0.50,
    suspect_unclaimed_s=0.10,
    certain_unclaimed_s=0.30,
    max_distance=0.40,
    quick_phrase_s=0.12,
    quick_sound_s=0.04,
    tiny_sounds=2,
)
#: Whisper base is unsure of clean Chinese: its probabilities tell little, transcripts decide.
CHINESE = Limits(
    sure_probability=0.60,
    unsure_probability=0.05,
    absent_probability=0.0,
    audible_per_sound=0.15,
    audible_least=0.60,
    audible_most=0.60,
    sound_s=0.35,
    suspect_excess_s=0.60,
    certain_excess_s=1.50,
    suspect_unclaimed_s=0.30,
    certain_unclaimed_s=1.00,
    max_distance=0.50,
    quick_phrase_s=0.0,
    quick_sound_s=0.15,
    tiny_sounds=1,
)
OTHER = Limits(
    sure_probability=0.60,
    unsure_probability=0.10,
    absent_probability=0.0,
    audible_per_sound=0.15,
    audible_least=0.60,
    audible_most=0.60,
    sound_s=0.15,
    suspect_excess_s=0.60,
    certain_excess_s=1.50,
    suspect_unclaimed_s=0.30,
    certain_unclaimed_s=1.00,
    max_distance=0.45,
    quick_phrase_s=0.12,
    quick_sound_s=0.04,
    tiny_sounds=2,
)
LIMITS = {"en": ENGLISH, "zh": CHINESE}


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """What is checked, and how much of it is transcribed."""

    mode: CheckMode = "fast"
    #: In fast mode, one take in this many is transcribed though nothing seems wrong with it.
    audit_every: int = 10

    def audits(self, key: str) -> bool:
        """Tell whether a take is transcribed in any case; depends on its key alone."""
        return self.mode == "full" or int(key[-8:], 16) % self.audit_every == 0

    def limits(self, language: str) -> Limits:
        """Return the limits for a language."""
        return LIMITS.get(language, OTHER)

    def facts(self) -> dict[str, Any]:
        """Return all that decides a verdict, for the checker's fingerprint."""
        limits = {name: asdict(each) for name, each in {**LIMITS, "": OTHER}.items()}
        return {"version": VERSION, **asdict(self), "limits": limits}
