"""Subtitle files as plain scripts: cues become paragraphs, sentences across cues stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import InputError
from pipeline.reading import notes
from pipeline.reading import text as texts
from pipeline.reading.draft import About, Draft, Part

#: A silence after a full stop that begins a new paragraph.
PARAGRAPH_GAP_MS = 1500
_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}.*")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]+)>", re.IGNORECASE)
#: Who speaks, in subtitles for the deaf.
_NAME = re.compile(r"([A-Z][A-Z0-9 .'’#-]{1,29}):\s+(?=\S)")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")
#: Sound descriptions: anything in square brackets, capitals in round ones; and notes of music.
_SOUND = re.compile(r"(?!\[(?i:pause|voice)\b)\[[^\]]*\]|[(（][^)）a-z]*[^\W\d_][^)）a-z]*[)）]")
_MUSIC = re.compile(r"[♪♫]+")
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
    found = list(_cues(texts.strip_invisible(text), path))
    n_sounds = sum(len(_SOUND.findall(cue.text)) for cue in found)
    spoken = [replace(cue, text=_without_sounds(cue.text)) for cue in found]
    said = notes.skipped([notes.counted(n_sounds, "sound description")] if n_sounds else [])
    return Draft(About(), tuple(_join(spoken)), notes=said)


def _without_sounds(text: str) -> str:
    lines = (_MUSIC.sub("", _SOUND.sub("", line)).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line.strip("-–— "))


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
        yield from _voices(number, timing, _body(lines[index + 1 :]))


def _body(lines: list[str]) -> str:
    body: list[str] = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        is_number = line.strip().isdigit() and "-->" in following
        if not line.strip() or "-->" in line or is_number:
            break
        body.append(line.strip())
    return "\n".join(body)


def _voices(number: int, timing: re.Match[str], body: str) -> Iterator[_Cue]:
    """Yield a cue for each voice in it."""
    before, *voiced = _VOICE.split(body)
    yield _cue(number, timing, before, None)
    for name, said in zip(voiced[::2], voiced[1::2], strict=True):
        yield _cue(number, timing, said, texts.clean(name))


def _cue(number: int, timing: re.Match[str], body: str, speaker: str | None) -> _Cue:
    body = _TAG.sub("", body)
    for entity, char in _ENTITIES.items():
        body = body.replace(entity, char)
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
            part = _part(cue, line)
            if current and not _ends(current, part, line, cue.start_ms - end_ms):
                current = replace(current, text=f"{current.text}\n{part.text}")
            else:
                if current:
                    yield current
                current = part
        end_ms = cue.end_ms
    if current:
        yield current


def _turns(text: str) -> list[str]:
    """Split a cue at lines that begin with a dash or a name: another person speaks."""
    turns = re.split(rf"\n(?=\s*[-–—]\s?\S|{_NAME.pattern})", text)
    # The pattern has a group for the name, and splitting returns it too.
    return [turn for turn in turns[::2] if turn.strip()]


def _part(cue: _Cue, line: str) -> Part:
    said = line.lstrip("-–— ")
    named = _NAME.match(said)
    speaker = cue.speaker or (named[1] if named else None)
    text = said[named.end() :] if named else said
    return Part("paragraph", text, f"cue {cue.number}", speaker=speaker)


def _ends(current: Part, part: Part, line: str, gap_ms: int) -> bool:
    """Tell whether a line is somebody else's, or comes after a silence."""
    is_named = part.speaker is not None and part.speaker != current.speaker
    is_unnamed = part.speaker is None and current.speaker is not None
    has_stopped = bool(_FULL_STOP.search(current.text))
    is_dashed = line.startswith(("-", "–", "—"))
    return is_dashed or is_named or (has_stopped and (is_unnamed or gap_ms >= PARAGRAPH_GAP_MS))
