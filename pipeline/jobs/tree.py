"""A job as one listing of its objects shows it: what there is, and what is still to be done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline import names
from pipeline.jobs.records import round_of
from pipeline.manifest.ref import JobRef
from pipeline.store.protocol import ObjectStore

_RESULT = re.compile(r"result(?:\.(\d+))?\.json")
_ROUND = re.compile(r"round\.(\d+)\.json")
_ATTEMPT = re.compile(r"fail/([^/]+)/(\w+)-(\d+)\.json")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that came to nothing."""

    shard: str
    stage: str
    number: int


@dataclass(frozen=True, slots=True)
class JobTree:
    """The names of a job's objects, sorted out."""

    #: As planned, those of retries too.
    shards: tuple[str, ...]
    splits: frozenset[str]
    done: frozenset[str]
    failures: tuple[Attempt, ...]
    #: Numbers of retries.
    rounds: tuple[int, ...]
    #: Numbers of the rounds that are decided; 0 is the first.
    results: frozenset[int]
    is_planned: bool

    @property
    def round(self) -> int:
        """The number of the current round."""
        return max(self.rounds, default=0)

    @property
    def is_ended(self) -> bool:
        """Whether the current round is decided."""
        return self.round in self.results

    def leaves(self) -> Iterator[str]:
        """Yield the shards of this round, in order: halves instead of those that crashed."""
        for shard in self.shards:
            if round_of(shard) == self.round:
                yield from self._leaves(shard)

    def left(self) -> list[str]:
        """Return the shards of this round without a receipt."""
        return [shard for shard in self.leaves() if shard not in self.done]

    def _leaves(self, shard: str) -> Iterator[str]:
        if shard in self.done or shard not in self.splits:
            yield shard
            return
        yield from self._leaves(f"{shard}a")
        yield from self._leaves(f"{shard}b")


def home(root: ObjectStore, ref: JobRef) -> ObjectStore:
    """Return the store of the tenant whose job it is."""
    return root.below(names.tenant(ref.tenant)) if ref.tenant else root


def read(store: ObjectStore, job_id: str) -> JobTree:
    """Read a job's tree with one listing, 1,000 objects a request."""
    prefix = names.job(job_id)
    found = [name.removeprefix(f"{prefix}/") for name in store.names(prefix)]
    return JobTree(
        shards=tuple(_stems(found, "shards")),
        splits=frozenset(name.removeprefix("split/") for name in found if "split/" in name[:6]),
        done=frozenset(_stems(found, "done")),
        failures=tuple(
            Attempt(match[1], match[2], int(match[3]))
            for name in found
            if (match := _ATTEMPT.fullmatch(name))
        ),
        rounds=tuple(sorted(int(m[1]) for name in found if (m := _ROUND.fullmatch(name)))),
        results=frozenset(int(m[1] or 0) for name in found if (m := _RESULT.fullmatch(name))),
        is_planned="plan.json" in found,
    )


def _stems(found: list[str], folder: str) -> Iterator[str]:
    for name in found:
        if name.startswith(f"{folder}/"):
            yield name.removeprefix(f"{folder}/").removesuffix(".json")
