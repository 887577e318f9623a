"""JSON for programs: chapters, sentences and words with their times, and the cues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.assembly.subtitles.cues import Cue
from pipeline.manifest.timeline import TimedSentence, Timeline

#: Raised when a field changes its meaning or goes away.
VERSION = 1


def render(timeline: Timeline, cues: Sequence[Cue]) -> str:
    """Return the timeline as JSON, one sentence or cue a line; times are in seconds."""
    head = {
        "version": VERSION,
        "title": timeline.title,
        "language": timeline.language,
        "duration_s": _s(timeline.duration_s),
    }
    fields = [f"{_dumped(key)}: {_dumped(value)}" for key, value in head.items()]
    fields.append(
        _listed(
            "chapters",
            (
                {
                    "title": chapter.title,
                    "start_s": _s(chapter.start_s),
                    "end_s": _s(chapter.end_s),
                }
                for chapter in timeline.chapters
            ),
        )
    )
    fields.append(_listed("sentences", map(_sentence, timeline.sentences)))
    fields.append(_listed("cues", map(_cue, cues)))
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _sentence(sentence: TimedSentence) -> dict[str, Any]:
    return {
        "index": sentence.index,
        "chapter": sentence.chapter,
        "text": sentence.text,
        "start_s": _s(sentence.start_s),
        "end_s": _s(sentence.end_s),
        "voice": sentence.voice,
        "is_heading": sentence.is_heading,
        "words": [
            {"text": word.text, "start_s": _s(word.start_s), "end_s": _s(word.end_s)}
            for word in sentence.words
        ],
    }


def _cue(cue: Cue) -> dict[str, Any]:
    return {
        "start_s": cue.start_ms / 1000,
        "end_s": cue.end_ms / 1000,
        "lines": cue.texts,
        "voice": cue.voice,
    }


def _listed(key: str, items: Iterable[Mapping[str, Any]]) -> str:
    rows = ",\n".join(f" {_dumped(item)}" for item in items)
    return f"{_dumped(key)}: [\n{rows}\n]"


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _s(time_s: float) -> float:
    return round(time_s, 3)
