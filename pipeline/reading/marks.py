"""Inline marks: `[pause 800ms]` and `[voice: NAME]` … `[voice: default]`."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import InputError
from pipeline.manifest.script import Span
from pipeline.reading import text as texts
from pipeline.reading.draft import Part

#: The longest pause that can be meant.
MAX_PAUSE_MS = 600_000

#: A bare capital `[Pause]` is a stage direction in a play, and is left alone.
_MARK = re.compile(
    r"\\?\[(?:((?i:pause|voice))(?:\s*:\s*|\s+)([^\[\]]*?)|(pause|voice)\s*:?)\s*\\?\]"
)
_DURATION = re.compile(r"(\d+(?:[.,]\d+)?)\s*(ms|s)", re.IGNORECASE)


class MarkReader:
    """Turns text into spans; the voice it stands in carries over from paragraph to paragraph."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._voice: str | None = None

    def spans(self, part: Part) -> tuple[Span, ...]:
        """Return the spans of a part.

        Raises:
            InputError: A mark cannot be understood; names the mark and the place.
        """
        spans: list[Span] = []
        end = 0
        for mark in _MARK.finditer(part.text):
            spans += self._span(part, part.text[end : mark.start()])
            self._apply(mark, spans, part.place)
            end = mark.end()
        return tuple(spans + self._span(part, part.text[end:]))

    def _span(self, part: Part, raw: str) -> list[Span]:
        text = texts.clean(raw)
        return [Span(text=text, speaker=part.speaker, voice=self._voice)] if text else []

    def _apply(self, mark: re.Match[str], spans: list[Span], place: str) -> None:
        kind, value = (mark[1] or mark[3]).lower(), (mark[2] or "").strip()
        if kind == "voice":
            if not value:
                raise self._bad(mark[0], place, "Write [voice: NAME] or [voice: default].")
            self._voice = None if value.lower() == "default" else value
            return
        pause_ms = self._pause_ms(mark[0], value, place)
        before = spans.pop() if spans else Span(text="", voice=self._voice)
        total_ms = pause_ms + (before.pause_after_ms or 0)
        spans.append(before.model_copy(update={"pause_after_ms": total_ms}))

    def _pause_ms(self, mark: str, value: str, place: str) -> int:
        duration = _DURATION.fullmatch(value)
        remedy = "Write [pause 800ms] or [pause 1.5s]."
        if not duration:
            raise self._bad(mark, place, remedy)
        amount = float(duration[1].replace(",", "."))
        pause_ms = round(amount if duration[2].lower() == "ms" else amount * 1000)
        if pause_ms > MAX_PAUSE_MS:
            raise self._bad(mark, place, f"The longest pause is {MAX_PAUSE_MS // 1000} s.")
        return pause_ms

    def _bad(self, mark: str, place: str, remedy: str) -> InputError:
        mark = texts.clean(mark)
        return InputError(self._path, f"{mark} is not a mark.", place=place or None, remedy=remedy)


def strip(text: str) -> str:
    """Return the text without marks, for titles."""
    return texts.clean(_MARK.sub(" ", text))
