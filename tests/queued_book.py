"""A small book as a job of the queue, worked off in the test's own process, without a queue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline import names
from pipeline.assembly.alignment.align import Aligner
from pipeline.checking.policy import CheckPolicy
from pipeline.engines import catalogue
from pipeline.jobs import records, steps, submission, tree
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobBody, JobRequest
from pipeline.manifest.marks import Defect, Verdict
from pipeline.manifest.plan import Chunk
from pipeline.manifest.result import Result
from pipeline.manifest.shard import ChunkReceipt, ShardReceipt
from pipeline.planning.summary import summarize
from pipeline.run.options import RenderOptions
from pipeline.run.prepare import Job, prepare
from pipeline.run.stages import judges
from pipeline.run.stopwatch import Stopwatch
from pipeline.run.takes import Judges
from pipeline.settings import Settings
from pipeline.store.protocol import ObjectStore

#: Says one thing twice: it is spoken once.
TEXT = """---
title: Der Fluß, “a river”
author: A. Writer
language: en
---

# The First Part

The lamp was lit at a quarter past nine. Nobody came to the door that night.

It rained.

# The Second Part

The river had risen by two feet, and the bridge was closed. They waited until noon.

It rained.

Then the men went home across the fields.
"""
OPTIONS = RenderOptions(
    engine="silent",
    profile="raw",
    formats=("flac",),
    subtitles=("srt", "json"),
    check="off",
    max_takes=2,
)


@dataclass
class Checker:
    """Flags takes of chunks in which a word stands, so many of each."""

    flagged: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def check(self, chunk: Chunk, *_: Any) -> Verdict:
        self.seen.append(chunk.text)
        for word, n_takes in self.flagged.items():
            if word in chunk.text and self.seen.count(chunk.text) <= n_takes:
                defect = Defect(kind="missing", detail=f"'{word}' is missing")
                return Verdict(passed=False, score=0.5, method="gate", defects=(defect,))
        return Verdict(passed=True, score=1.0, method="none")


@dataclass
class QueuedBook:
    """A job that was submitted, and who works at it."""

    job: Job
    request: JobRequest
    root: ObjectStore
    checker: Checker = field(default_factory=Checker)
    #: A chunk with any of these words kills whoever speaks it.
    poison: Collection[str] = ()

    @property
    def store(self) -> ObjectStore:
        return tree.home(self.root, self.request.ref)

    @property
    def tree(self) -> JobTree:
        return tree.read(self.store, self.request.id)

    @property
    def result(self) -> Result | None:
        return records.load_result(self.request.id, self.tree.round, self.store)

    @property
    def judges(self) -> Judges:
        checker: Any = self.checker
        return Judges(Aligner(None), checker, Stopwatch())

    def work(self, shards: Collection[str] | None = None) -> list[str]:
        """Settle shards, by default all that are left; return the texts that were judged."""
        n_before = len(self.checker.seen)
        for shard in self.tree.left() if shards is None else shards:
            receipt = ShardReceipt(
                shard=shard, chunks=self._settled(shard), worker="test", finished_s=1.0
            )
            self.store.put_new(names.done(self.request.id, shard), receipt.encode())
        return self.checker.seen[n_before:]

    def receipt(self, text: str) -> ChunkReceipt:
        """Return the receipt of the chunk in which a text stands, of the newest shard."""
        found = [
            chunk
            for shard in sorted(self.tree.done, key=lambda each: (records.round_of(each), each))
            for chunk in self._receipt(shard).chunks
            if text in self.job.plan.chunks[chunk.index].text
        ]
        return found[-1]

    def _receipt(self, shard: str) -> ShardReceipt:
        receipt = records.load_receipt(self.request.id, shard, self.store)
        assert receipt
        return receipt

    def _settled(self, name: str) -> tuple[ChunkReceipt, ...]:
        recipe = records.recipe(self.request, records.round_of(name))
        shard = records.load_shard(self.request.id, name, self.store)
        given_up = tuple(
            steps.give_up(each.chunk, "the process died", recipe, self.store)
            for each in shard.chunks
            if any(word in each.chunk.text for word in self.poison)
        )
        sound = shard.model_copy(
            update={
                "chunks": tuple(
                    each
                    for each in shard.chunks
                    if not any(word in each.chunk.text for word in self.poison)
                )
            }
        )
        engine = catalogue.load("silent", Settings())
        while True:
            steps.speak(sound, recipe, engine, self.store)
            settled = steps.check(sound, recipe, self.judges, self.store)
            if settled is not None:
                return (*settled, *given_up)


def prepared(folder: Path, options: RenderOptions = OPTIONS, text: str = TEXT) -> Job:
    """Return the job of a text."""
    path = folder / "book.md"
    path.write_text(text, encoding="utf-8")
    checker = judges(None, CheckPolicy(mode="off"))
    return prepare(path, options, Settings(), checker)


def submitted(
    job: Job,
    root: ObjectStore,
    output: str = "out",
    *,
    id: str = "book-1",  # noqa: A002 - the field's name
    tenant: str = "",
    shard_chunks: int = 2,
) -> QueuedBook:
    """Write a job into a store."""
    request = JobRequest(
        id=id,
        tenant=tenant,
        created_s=1_800_000_000,
        body=JobBody(render=job.request, output=output),
        sample_rate_hz=job.recipe.sample_rate_hz,
        n_chunks=len(submission.distinct(job)),
        duration_s=summarize(job.plan).duration_s,
        cover=job.cover.media_type if job.cover else None,
        notes=job.notes,
    )
    request = submission.write(job, request, lambda _chunk: (), root, shard_chunks)
    return QueuedBook(job, request, root)


def with_takes(n_takes: int) -> RenderOptions:
    """Return the options for so many takes."""
    return replace(OPTIONS, max_takes=n_takes)


#: Goes on whatever happens; hears nothing.
def go_on() -> None:
    pass


def unheard(_event: object) -> None:
    pass


Submit = Callable[..., QueuedBook]
