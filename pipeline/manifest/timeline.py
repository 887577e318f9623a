"""Where everything lies in a finished file; the one source of subtitles, chapters and report."""

from __future__ import annotations

from pydantic.dataclasses import dataclass

from pipeline.manifest.base import CLOSED, Record


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class TimedWord:
    """A word and when it is spoken, in seconds from the start of the file."""

    text: str
    start_s: float
    end_s: float


class TimedSentence(Record):
    """A source sentence in the finished file."""

    index: int
    chapter: int
    text: str
    start_s: float
    end_s: float
    words: tuple[TimedWord, ...]
    #: Indices of the chunks that speak it.
    chunks: tuple[int, ...]
    #: Who speaks: the voice's name.
    voice: str
    is_heading: bool = False


class TimedChapter(Record):
    """A chapter; chapters touch and cover the file."""

    title: str
    start_s: float
    end_s: float


class Timeline(Record):
    """Timing of one finished file."""

    title: str
    language: str
    duration_s: float
    chapters: tuple[TimedChapter, ...]
    sentences: tuple[TimedSentence, ...]
