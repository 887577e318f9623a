"""How a job ended: the one terminal decision."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record


class OutputFile(Record):
    """A finished file."""

    #: Path below the output folder, with "/".
    name: str
    size_bytes: int
    sha256: str


class Result(Record):
    """Written last, once."""

    version: Literal[1] = 1
    #: `partial`: finished, but some chunks are flagged.
    state: Literal["succeeded", "partial", "failed", "cancelled"]
    outputs: tuple[OutputFile, ...]
    n_chunks: int
    n_flagged: int
    duration_s: float
    #: Chunks that could not be made at all; a gap stands for each.
    n_failed: int = 0
    #: Why it failed or was cancelled.
    reason: str | None = None
    #: Where a job of the queue has its outputs: `s3://bucket/prefix/job/edition`, or a folder.
    location: str | None = None
    #: When it was decided, in seconds since 1970.
    finished_s: float | None = None
