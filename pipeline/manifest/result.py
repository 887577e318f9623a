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
