"""The models a process needs to settle chunks, built once in each process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.assembly.alignment.align import Aligner
from pipeline.checking.check import Checker
from pipeline.checking.policy import CheckPolicy
from pipeline.engines import catalogue
from pipeline.manifest.marks import Marks
from pipeline.manifest.plan import Chunk
from pipeline.models.whisper import Whisper
from pipeline.run.chunk import Stages, settle
from pipeline.run.recipe import Recipe
from pipeline.run.stopwatch import Stopwatch
from pipeline.run.takes import Judges
from pipeline.settings import Settings
from pipeline.store.local import LocalStore


def judges(whisper_dir: Path | None, policy: CheckPolicy) -> str:
    """Return the fingerprint of what times and judges takes; it names their marks."""
    whisper = Whisper(whisper_dir) if whisper_dir else None
    return Judges(Aligner(whisper), Checker(whisper, policy), Stopwatch()).fingerprint


@dataclass(frozen=True, slots=True)
class Settled:
    """A chunk's chosen take."""

    marks: Marks
    n_takes: int


#: Chunks that go through the engine together.
Shard = tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class SettledShard:
    """What became of a shard's chunks, in order, and the processor seconds it cost by stage."""

    chunks: tuple[Settled, ...]
    spent_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that a process needs to know to settle chunks; travels to it by pickle."""

    recipe: Recipe
    policy: CheckPolicy
    whisper_dir: Path | None
    store_root: Path
    settings: Settings
    #: The engine's own parameters.
    engine_options: dict[str, str]

    def open(self) -> Callable[[Shard], SettledShard]:
        """Load the models and return the function that settles a shard."""
        watch = Stopwatch()
        with watch.stage("loading"):
            stages = self._stages(watch)

        def work(shard: Shard) -> SettledShard:
            settled = settle(shard, self.recipe, stages)
            return SettledShard(tuple(Settled(*each) for each in settled), watch.read())

        return work

    def _stages(self, watch: Stopwatch) -> Stages:
        whisper = Whisper(self.whisper_dir, threads=1) if self.whisper_dir else None
        return Stages(
            engine=catalogue.load(self.recipe.engine, self.settings, self.engine_options),
            judges=Judges(Aligner(whisper), Checker(whisper, self.policy), watch),
            store=LocalStore(self.store_root),
        )
