"""What lies beside finished files and says what they are."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.request import RenderRequest
from pipeline.manifest.result import OutputFile


class DeliveryManifest(Record):
    """Everything a later reader needs to know how the files came to be."""

    version: Literal[1] = 1
    job: str
    tenant: str
    title: str
    #: `partial`: finished, but some chunks are flagged.
    state: Literal["succeeded", "partial"]
    n_chunks: int
    n_flagged: int
    n_failed: int
    duration_s: float
    #: With the voices, where they come from, and what identifies the engine and the checker.
    request: RenderRequest
    plan_sha256: str
    outputs: tuple[OutputFile, ...]
