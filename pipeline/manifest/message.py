"""What travels on the queue: ids only, versioned, so that any message may be lost or repeated."""

from __future__ import annotations

from typing import Any, Literal

from pipeline.manifest.base import Record
from pipeline.manifest.job import Priority
from pipeline.manifest.ref import JobRef

Stage = Literal["synth", "check", "finalize"]

STAGES: tuple[Stage, ...] = ("synth", "check", "finalize")
#: Raised when older workers could not do what newer messages ask for.
VERSION = 1


def queue(stage: str, version: int = VERSION) -> str:
    """Return the name of a queue; each version has its own, so that no worker gets what is new."""
    return f"voxmill.{version}.{stage}"


#: The queue that tells the reconciler to look at a job now.
ADMIT = queue("admit")


class Message(Record):
    """Work on one shard, or on a whole book when there is no shard."""

    v: Literal[1] = 1
    tenant: str = ""
    job: str
    shard: str = ""
    priority: Priority = "normal"
    #: When it was published, by the ledger's clock.
    at: float = 0.0

    @property
    def ref(self) -> JobRef:
        """Whose work it is."""
        return JobRef(tenant=self.tenant, id=self.job)

    def fields(self) -> dict[str, Any]:
        """Return it as the arguments of a task."""
        return self.model_dump()
