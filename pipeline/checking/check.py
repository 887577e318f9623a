"""A take and its text → a verdict: cheap checks on all, transcription where it is needed."""

from __future__ import annotations

from functools import cached_property

from pipeline import names
from pipeline.audio.clip import Clip
from pipeline.checking.policy import CheckPolicy
from pipeline.checking.signal import signal_defects
from pipeline.checking.transcript import differences
from pipeline.manifest.marks import Defect, Verdict, Word
from pipeline.manifest.plan import Chunk
from pipeline.models.whisper import Whisper


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
        heard = self._whisper.transcribe(clip, chunk.language)
        limit = self._policy.limits(chunk.language).max_distance
        wrong = [d for d in differences(chunk.text, heard, chunk.language) if d.distance > limit]
        defects = (*broken, *(Defect(kind=d.kind, detail=d.detail) for d in wrong))
        return Verdict(
            passed=not defects,
            score=1.0 / (1 + len(defects)),
            method="transcript",
            defects=defects,
            transcript=heard,
        )
