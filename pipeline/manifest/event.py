"""What a webhook tells."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import OutputFile, Result


class WebhookEvent(Record):
    """A job has ended."""

    version: Literal[1] = 1
    #: The same whenever it is told: who heard it before need not act again.
    id: str
    job: str
    tenant: str
    state: Literal["succeeded", "partial", "failed", "cancelled"]
    reason: str | None
    n_chunks: int
    n_flagged: int
    n_failed: int
    duration_s: float
    finished_s: float | None
    #: `s3://bucket/prefix/job/edition`, where the outputs are.
    location: str | None
    outputs: tuple[OutputFile, ...]


class WebhookReceipt(Record):
    """How telling it went; written when that is over."""

    version: Literal[1] = 1
    event: str
    outcome: Literal["delivered", "gave_up"]
    n_attempts: int
    #: HTTP status, or what stood in the way.
    answer: str


def event(request: JobRequest, number: int, result: Result) -> WebhookEvent:
    """Return the event of a round's end."""
    return WebhookEvent(
        id=f"{request.ref}/{number}",
        job=request.id,
        tenant=request.tenant,
        state=result.state,
        reason=result.reason,
        n_chunks=result.n_chunks,
        n_flagged=result.n_flagged,
        n_failed=result.n_failed,
        duration_s=result.duration_s,
        finished_s=result.finished_s,
        location=result.location,
        outputs=result.outputs,
    )
