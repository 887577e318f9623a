"""A job of the queue: what was asked for, and what was fixed when it was accepted."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.ref import JobRef
from pipeline.manifest.request import RenderRequest

Priority = Literal["high", "normal", "low"]

#: What of a render's request comes from the software, not from the client.
DERIVED = ("engine_fingerprint", "voice_revisions", "voice_origins", "checker", "voxmill")


class JobBody(Record):
    """What the client asked for: the same id with the same body is the same job."""

    render: RenderRequest
    #: Where finished files go: `s3://bucket/prefix`, or a folder.
    output: str
    priority: Priority = "normal"
    #: As given: "2h", "2026-12-01T06:00".
    deadline: str | None = None
    #: Told when the job has ended.
    webhook: str | None = None

    def is_same(self, other: JobBody) -> bool:
        """Tell whether another body asks for the same, whichever release of Voxmill reads it."""
        return self.asked() == other.asked()

    def asked(self) -> dict[str, object]:
        """Return what comes from the client."""
        return self.model_dump(exclude={"render": set(DERIVED)})


class JobRequest(Record):
    """Written first, once: with it the job exists."""

    version: Literal[1] = 1
    id: str
    tenant: str = ""
    #: Seconds since 1970.
    created_s: int
    #: After this the job is ended, whatever is done.
    deadline_s: int | None = None
    body: JobBody
    sample_rate_hz: int
    #: Chunks to speak: those that say the same count once.
    n_chunks: int
    #: Estimated length of the audio, with the pauses.
    duration_s: float
    #: Media type of the cover, kept beside.
    cover: Literal["image/jpeg", "image/png"] | None = None
    #: What the reader of the report should know.
    notes: tuple[str, ...] = ()

    @property
    def ref(self) -> JobRef:
        """The job's name among all tenants'."""
        return JobRef(tenant=self.tenant, id=self.id)


class Round(Record):
    """A retry: what failed is done again, and a new result is decided."""

    version: Literal[1] = 1
    number: int
    created_s: int
    #: Indices of the chunks to do again.
    chunks: tuple[int, ...]
