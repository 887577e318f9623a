"""The unit of work on the queue: chunks that go through the engine together, and their receipt."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk


class PlannedChunk(Record):
    """A chunk, and what of its text the engine leaves out."""

    chunk: Chunk
    unspeakable: tuple[str, ...] = ()


class ShardPlan(Record):
    """Chunks of one voice and language and of similar length; written before it is queued."""

    version: Literal[1] = 1
    #: "0000" …; of a retry "r1-0000" …
    id: str
    chunks: tuple[PlannedChunk, ...]

    def half(self, letters: str) -> ShardPlan:
        """Return the part that letters name: "a" is the first half, "ab" that one's second."""
        part = self
        for letter in letters:
            middle = len(part.chunks) // 2
            own = part.chunks[:middle] if letter == "a" else part.chunks[middle:]
            part = ShardPlan(id=part.id + letter, chunks=own)
        return part


class ChunkReceipt(Record):
    """What became of a chunk."""

    index: int
    n_takes: int
    #: Of the take that stands for it.
    marks: Marks
    #: Why it could not be made at all.
    failure: str | None = None

    @property
    def outcome(self) -> Literal["passed", "flagged", "failed"]:
        """How it ended."""
        if self.failure is not None:
            return "failed"
        return "passed" if self.marks.verdict.passed else "flagged"


class ShardReceipt(Record):
    """Every chunk of the shard is settled."""

    version: Literal[1] = 1
    shard: str
    chunks: tuple[ChunkReceipt, ...]
    worker: str
    finished_s: float

    @property
    def audio_s(self) -> float:
        """Seconds of audio in it."""
        return sum(each.marks.n_samples / each.marks.sample_rate_hz for each in self.chunks)


class Failure(Record):
    """One attempt that came to nothing, for people; nothing is decided by it."""

    version: Literal[1] = 1
    stage: Literal["synth", "check", "finalize"]
    shard: str
    attempt: int
    worker: str
    at_s: float
    #: The error's class, or "Lost" when the process died.
    kind: str
    detail: str
    #: What was done about it; "later" is a retry after something that was not the chunk's fault.
    action: Literal["retry", "later", "split", "failed"]
