"""Advanced SubStation Alpha files: every word lights up as it is spoken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from pipeline.assembly.subtitles.cues import Cue
from pipeline.assembly.subtitles.tokens import Token
from pipeline.manifest.timeline import Timeline

#: White words that were grey before they were spoken, a thin outline, low in the picture.
HEADER = """[Script Info]
; Made by Voxmill
Title: {title}
ScriptType: v4.00+
PlayResX: 1920
PlayResY: 1080
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,64,&H00FFFFFF,&H00A8A8A8,&H00101010,&H80000000,0,0,0,0,100,100,0,0,1,3,1,2,\
96,96,72,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
#: Keeps a backslash from starting a command with the letter after it.
WORD_JOINER = "\u2060"


def render(timeline: Timeline, cues: Sequence[Cue]) -> str:
    """Return the cues as ASS with karaoke words."""
    header = HEADER.format(title=_field(timeline.title))
    return header + "".join(_event(cue) for cue in cues)


def _event(cue: Cue) -> str:
    start, end = cue.start_ms // 10, cue.end_ms // 10
    times = f"{_clock(start)},{_clock(end)}"
    voice = _field(cue.voice).replace(",", " ")
    return f"Dialogue: 0,{times},Default,{voice},0,0,0,,{_karaoke(cue, start, end)}\n"


def _karaoke(cue: Cue, start: int, end: int) -> str:
    """Return the words, each with the hundredths of a second until the next one begins."""
    words = list(chain.from_iterable(cue.lines))
    # A word begins where the last one ended, so the rounding of one never moves the others.
    begins = [start, *(round(word.start_s * 100) for word in words[1:]), end]
    for index in range(1, len(begins)):
        begins[index] = min(max(begins[index], begins[index - 1]), end)
    line_starts = {line[0] for line in cue.lines[1:]}
    return "".join(
        _lead(word, index, word in line_starts)
        + f"{{\\k{begins[index + 1] - begins[index]}}}{_escaped(word.text)}"
        for index, word in enumerate(words)
    )


def _lead(word: Token, index: int, is_line_start: bool) -> str:
    if is_line_start:
        return "\\N"
    return " " if word.spaced and index else ""


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\" + WORD_JOINER)
    return text.replace("{", "\\{").replace("}", "\\}")


def _field(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _clock(hundredths: int) -> str:
    seconds, hundredths = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{hundredths:02}"
