"""How strictly takes are checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.manifest.request import CheckMode

#: Raised when the same take may get another verdict.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still taken for right; set on sentences that no published figure is measured on."""

    #: A word that Whisper is less sure to hear is suspect.
    min_probability: float
    #: Words longer or shorter than this, per sound unit of the word, are suspect.
    max_unit_s: float
    min_unit_s: float
    #: Speech that no word claims is suspect from this length.
    max_unclaimed_s: float
    #: Heard and written text may differ by this share of the sounds of the words in question.
    max_distance: float


ENGLISH = Limits(
    min_probability=0.05,
    max_unit_s=0.30,
    min_unit_s=0.035,
    max_unclaimed_s=0.30,
    max_distance=0.40,
)
#: Whisper base is unsure of clean Chinese: its probabilities tell little.
CHINESE = Limits(
    min_probability=1e-4,
    max_unit_s=0.90,
    min_unit_s=0.05,
    max_unclaimed_s=0.40,
    max_distance=0.45,
)
OTHER = Limits(
    min_probability=0.01,
    max_unit_s=0.40,
    min_unit_s=0.02,
    max_unclaimed_s=0.40,
    max_distance=0.45,
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
