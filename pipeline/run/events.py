"""What a render tells while it works: for progress bars, log lines and programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.manifest.result import Result

Stage = Literal["models", "mastering", "encoding", "measuring", "report"]


@dataclass(frozen=True, slots=True)
class Planned:
    """The text is read and planned; synthesis begins."""

    job: str
    title: str
    n_chapters: int
    n_chunks: int
    #: Chunks that are already there from an earlier run.
    n_cached: int
    estimated_s: float


@dataclass(frozen=True, slots=True)
class ChunkDone:
    """One more chunk is synthesized and checked."""

    n_done: int
    n_chunks: int
    #: Seconds of audio this chunk adds.
    audio_s: float
    #: Takes it needed.
    n_takes: int
    is_flagged: bool
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A later stage goes on; `fraction` is 0 … 1."""

    stage: Stage
    fraction: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know; nothing is wrong."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The job has ended."""

    job: str
    folder: str
    result: Result
    #: Nothing had to be done: the files of an earlier run are intact.
    was_done: bool
    #: Processor seconds by stage, over all processes.
    spent_s: dict[str, float]


Event = Planned | ChunkDone | Step | Note | Finished

#: Who is told.
Tell = Callable[[Event], None]
