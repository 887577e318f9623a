"""Subtitle files as plain scripts: cues become paragraphs, sentences across cues stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import InputError
from pipeline.reading import text as texts
from pipeline.reading.draft import About, Draft, Part

#: A silence after a full stop that begins a new paragraph.
PARAGRAPH_GAP_MS = 1500
_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]+)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")
_SOUND = re.compile(
    r"(?!\[(?:pause|voice))[\[(（][^\])）]*[\])）]|[♪♫#\s]*[♪♫][♪♫#\s]*", re.IGNORECASE
)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}
_FULL_STOP = re.compile(r"[.!?。！？…♪][\"'”’」』)]*$")


@dataclass(frozen=True, slots=True)
class _Cue:
    number: int
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None


def read(text: str, path: Path) -> Draft:
    """Return the draft of an SRT or WebVTT file.

    Raises:
        InputError: A time stamp cannot be understood.
    """
    cues = list(_cues(texts.strip_invisible(text), path))
    spoken = [cue for cue in cues if not _SOUND.fullmatch(cue.text)]
    n_sounds = len(cues) - len(spoken)
    notes = (f"Skipped {n_sounds} sound descriptions.",) if n_sounds else ()
    return Draft(About(), tuple(_join(spoken)), notes=notes)


def _cues(text: str, path: Path) -> Iterator[_Cue]:
    lines = text.split("\n")
    number = 0
    for index, line in enumerate(lines):
        if "-->" not in line:
            continue
        timing = _TIMING.fullmatch(line)
        if not timing:
            raise InputError(
                path,
                f"{line.strip()!r} is not a time stamp.",
                place=f"line {index + 1}",
                remedy="Write 00:01:02,500 --> 00:01:04,000.",
            )
        number += 1
        yield _cue(number, timing, _body(lines[index + 1 :]))


def _body(lines: list[str]) -> str:
    body: list[str] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        is_number = line.strip().isdigit() and "-->" in following
        if not line.strip() or "-->" in line or is_number:
            break
        body.append(line.strip())
    return "\n".join(body)


def _cue(number: int, timing: re.Match[str], body: str) -> _Cue:
    voice = _VOICE.search(body)
    body = _TAG.sub("", body)
    for entity, char in _ENTITIES.items():
        body = body.replace(entity, char)
    speaker = texts.clean(voice[1]) if voice else None
    return _Cue(number, _ms(timing.groups()[:4]), _ms(timing.groups()[4:]), body.strip(), speaker)


def _ms(clock: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = clock
    whole_s = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole_s * 1000 + int((fraction or "0").ljust(3, "0"))


def _join(cues: list[_Cue]) -> Iterator[Part]:
    current: Part | None = None
    end_ms = 0
    for cue in cues:
        for line in _turns(cue.text):
            gap_ms = cue.start_ms - end_ms
            if current and not _ends(current, line, cue, gap_ms):
                current = replace(current, text=f"{current.text}\n{line.lstrip('-–— ')}")
            else:
                if current:
                    yield current
                text = line.lstrip("-–— ")
                current = Part("paragraph", text, f"cue {cue.number}", speaker=cue.speaker)
        end_ms = cue.end_ms
    if current:
        yield current


def _turns(text: str) -> list[str]:
    """Split a cue at lines that begin with a dash: another person speaks."""
    return [turn for turn in re.split(r"\n(?=\s*[-–—]\s?\S)", text) if turn.strip()]


def _ends(part: Part, line: str, cue: _Cue, gap_ms: int) -> bool:
    is_turn = line.startswith(("-", "–", "—")) or part.speaker != cue.speaker
    has_stopped = bool(_FULL_STOP.search(part.text))
    return is_turn or (has_stopped and gap_ms >= PARAGRAPH_GAP_MS)
