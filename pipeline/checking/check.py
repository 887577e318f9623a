"""A take and its text → a verdict: cheap checks on all, transcription where it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from pipeline import names
from pipeline.audio.clip import Clip
from pipeline.checking import short
from pipeline.checking.audible import probabilities
from pipeline.checking.gate import Evidence, weigh
from pipeline.checking.policy import CheckPolicy, Limits
from pipeline.checking.signal import signal_defects
from pipeline.checking.transcript import Difference, differences
from pipeline.manifest.marks import Defect, Verdict, Word
from pipeline.manifest.plan import Chunk
from pipeline.models.whisper import Whisper

#: What each wrong word, and each defect of the sound, leaves of a take's score.
GRADE = 0.7


class Checker:
    """Judges takes one by one: a verdict depends on nothing but the take and the policy.

    Args:
        whisper: None only when the policy's mode is "off".
        policy: What is checked, and how strictly.
    """

    def __init__(self, whisper: Whisper | None, policy: CheckPolicy) -> None:
        assert whisper or policy.mode == "off"
        self._whisper, self._policy = whisper, policy

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits of all that decides a verdict besides the take; names the marks."""
        if not self._whisper or self._policy.mode == "off":
            return names.digest({"mode": "off"})[:12]
        facts = {"model": self._whisper.fingerprint, **self._policy.facts()}
        return names.digest(facts)[:12]

    def check(self, chunk: Chunk, clip: Clip, words: tuple[Word, ...] | None, key: str) -> Verdict:
        """Judge a take.

        Args:
            chunk: What should be heard.
            clip: What is heard.
            words: The aligner's timings; None when text and audio did not fit together.
            key: Key of the take; decides whether it is audited.
        """
        if not self._whisper or self._policy.mode == "off":
            return Verdict(passed=True, score=1.0, method="none")
        broken = signal_defects(clip)
        if any(defect.kind == "silence" for defect in broken):
            return Verdict(passed=False, score=0.0, method="gate", defects=tuple(broken))
        limits = self._policy.limits(chunk.language)
        aligned = self._whisper.align(clip, chunk.text, chunk.language)
        evidence = weigh(clip, aligned, words, chunk.language, limits)
        found = [*broken, *evidence.defects(limits)]
        if not (self._policy.audits(key) or evidence.is_suspect(limits) or found):
            return _verdict(found, [], evidence, None)
        heard = self._whisper.transcribe(clip, chunk.language)
        sure = probabilities(chunk.text, aligned, chunk.language)
        wrong = [
            difference
            for difference in _different(chunk, heard, evidence, limits)
            if _counts(difference, sure, evidence, limits)
        ]
        if not wrong and short.is_no_guess(evidence.weakest, chunk.text, chunk.language):
            found = [defect for defect in found if defect.kind != "missing"]
        return _verdict(found, wrong, evidence, heard)


def _different(chunk: Chunk, heard: str, evidence: Evidence, limits: Limits) -> list[Difference]:
    """Return where the transcript differs from the text, but for what it cannot tell."""
    fitting = short.fitting(heard, evidence.speech_s, chunk.language, limits)
    if short.is_beyond_hearing(chunk.text, fitting, chunk.language, limits):
        return []
    return differences(chunk.text, fitting, chunk.language)


def _counts(
    difference: Difference, sure: Sequence[float], evidence: Evidence, limits: Limits
) -> bool:
    """Tell whether a difference is the voice's fault rather than Whisper's spelling.

    Whisper's own wording does not count where the audio clearly holds the very words written; the
    more it differs, the more clearly.

    Args:
        difference: What is in question.
        sure: Probability of each comparable word of the text.
        evidence: What the gate found; a word is in no place when the aligner found none.
        limits: Limits for the language.
    """
    if difference.distance <= limits.max_distance:
        return False
    named = sure[difference.at : difference.at + len(difference.written)]
    if not named or evidence.is_refused:
        return True
    return min(named) < limits.audible(difference.n_sounds, difference.distance)


def _verdict(
    found: list[Defect], wrong: list[Difference], evidence: Evidence, heard: str | None
) -> Verdict:
    defects = (*found, *(Defect(kind=each.kind, detail=each.detail) for each in wrong))
    n_wrong = sum(max(len(each.written), len(each.heard)) for each in wrong)
    score = GRADE ** len(found) * GRADE**n_wrong * (0.9 + 0.1 * evidence.probability)
    return Verdict(
        passed=not defects,
        score=round(score, 4),
        method="gate" if heard is None else "transcript",
        defects=defects,
        transcript=heard,
    )
