"""A whole book in one process tree: prepare, settle every chunk, finish.

It may be killed at any moment: what is stored is never half written, so the next run goes on from
there and ends with the same bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from pipeline import names
from pipeline.audio import ffmpeg
from pipeline.checking.policy import CheckPolicy
from pipeline.errors import CrashError
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk
from pipeline.manifest.result import Result
from pipeline.models import resolve
from pipeline.planning.summary import summarize
from pipeline.run import finish, lock
from pipeline.run.chunk import give_up, settled
from pipeline.run.events import ChunkDone, Finished, Note, Planned, Step, Tell
from pipeline.run.options import RenderOptions
from pipeline.run.pool import Pool
from pipeline.run.prepare import Job, prepare
from pipeline.run.shards import cut, halves
from pipeline.run.stages import Settled, SettledShard, Shard, Workshop, judges
from pipeline.run.stopwatch import processor_s
from pipeline.settings import Settings
from pipeline.store.local import LocalStore

#: Folder inside the output folder that holds the chunks, plans and receipts.
STATE_FOLDER = ".voxmill"


def render(
    path: Path, out: Path, options: RenderOptions, settings: Settings, tell: Tell
) -> Finished:
    """Render one input into finished files below `out`.

    Raises:
        InputError: The input cannot be read or spoken.
        RequestError: The options do not fit.
        BusyError: Another render holds the folder.
        ProfileError: A finished file does not meet the profile.
        StorageError: The disk is full, or the folder cannot be written.
        MissingToolError: There is no ffmpeg.
    """
    started_s = processor_s()
    ffmpeg.path()  # better now than after an hour of speaking
    whisper_dir = find_whisper(options, settings, tell)
    policy = CheckPolicy(mode=options.check)
    # An input that is refused leaves no trace: the folder is made after it is understood.
    job = prepare(path, options, settings, checker=judges(whisper_dir, policy))
    with lock.held(out / STATE_FOLDER):
        store = LocalStore(out / STATE_FOLDER)
        before = finish.intact_result(job, store, out)
        if before:
            return _told(tell, Finished(job.id, _folder(before, out), before, True, {}))
        store.put(names.request(job.id), job.request.encode())
        store.put(names.plan(job.id), job.plan.encode())
        engine_options = dict(job.request.engine_options)
        workshop = Workshop(job.recipe, policy, whisper_dir, store.root, settings, engine_options)
        speaking = _Speaking(job, store, workshop, tell)
        marks = speaking.run()
        result = finish.finish(job, marks, store, out, tell)
        spent_s = {**speaking.spent_s, "pipeline": 0.0}
        spent_s["pipeline"] = processor_s() - started_s - sum(spent_s.values())
        return _told(tell, Finished(job.id, _folder(result, out), result, False, spent_s))


def find_whisper(options: RenderOptions, settings: Settings, tell: Tell) -> Path | None:
    """Return the folder of the checking model, fetching it when this machine lacks it."""
    if options.check == "off":
        return None

    def progress(file: str, done: int, total: int) -> None:
        tell(Step("models", done / total if total else 0.0, file))

    return resolve.model_dir("whisper-base", settings=settings, progress=progress)


def _folder(result: Result, out: Path) -> str:
    return str((out / result.outputs[0].name).parent)


def _told(tell: Tell, finished: Finished) -> Finished:
    tell(finished)
    return finished


class _Speaking:
    """Settles the chunks of a job that are not settled yet."""

    def __init__(self, job: Job, store: LocalStore, workshop: Workshop, tell: Tell) -> None:
        self._recipe, self._store, self._tell = job.recipe, store, tell
        self._job = job
        self._pool = Pool[Shard, SettledShard](workshop.open, n_processes(job, workshop.settings))
        # Chunks that say the same are spoken once.
        self._chunks = {job.recipe.key(chunk, 0): chunk for chunk in job.plan.chunks}
        self._marks: dict[str, Marks] = {}
        self.spent_s: Counter[str] = Counter()

    def run(self) -> dict[int, Marks]:
        """Return the marks of every chunk's take by chunk index."""
        for key, chunk in self._chunks.items():
            marks = settled(chunk, self._recipe, self._store)
            if marks:
                self._marks[key] = marks
        self._announce()
        pending = [chunk for key, chunk in self._chunks.items() if key not in self._marks]
        shards = cut(pending, self._job.batch)
        while shards:
            crashed = [
                shard
                for shard, outcome in self._pool.run(shards)
                if not self._receive(shard, outcome)
            ]
            # One chunk of a shard that kills processes may not take the others with it.
            shards = [half for shard in crashed for half in halves(shard)]
        return {c.index: self._marks[self._recipe.key(c, 0)] for c in self._job.plan.chunks}

    def _announce(self) -> None:
        plan = self._job.plan
        self._tell(
            Planned(
                job=self._job.id,
                title=plan.title,
                n_chapters=len(plan.chapters),
                n_chunks=len(self._chunks),
                n_cached=len(self._marks),
                estimated_s=summarize(plan).duration_s,
            )
        )
        for note in self._job.notes:
            self._tell(Note(note))

    def _receive(self, shard: Shard, outcome: SettledShard | CrashError) -> bool:
        """Take what became of a shard; False when it crashed and can still be divided."""
        if isinstance(outcome, CrashError):
            if len(shard) > 1:
                return False
            gap = give_up(shard[0], outcome, self._recipe, self._store)
            outcome = SettledShard((Settled(gap, 0),), {})
        self.spent_s.update(outcome.spent_s)
        for chunk, one in zip(shard, outcome.chunks, strict=True):
            self._settle(chunk, one)
        return True

    def _settle(self, chunk: Chunk, settled: Settled) -> None:
        marks = settled.marks
        self._marks[self._recipe.key(chunk, 0)] = marks
        self._tell(
            ChunkDone(
                n_done=len(self._marks),
                n_chunks=len(self._chunks),
                audio_s=marks.n_samples / marks.sample_rate_hz,
                n_takes=settled.n_takes,
                is_flagged=not marks.verdict.passed,
                text=chunk.text,
            )
        )


def n_processes(job: Job, settings: Settings) -> int:
    """Return how many processes speak: as many as the cores have work for."""
    return settings.jobs or max(1, (os.cpu_count() or 1) // job.threads)
