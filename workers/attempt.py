"""One attempt at a piece of work: leased, counted, and its end recorded, whatever it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pipeline import names
from pipeline.errors import CorruptObjectError, EngineError, PermanentError, VoxmillError
from pipeline.jobs import ending, tree
from pipeline.jobs.records import load_failure, load_request, load_shard, recipe, round_of
from pipeline.manifest.job import JobRequest
from pipeline.manifest.message import Message, Stage
from pipeline.manifest.shard import Failure, ShardPlan
from pipeline.run.recipe import Recipe
from pipeline.store.protocol import ObjectStore
from workers import blame, logs, metrics
from workers.context import Context
from workers.lease import Held, LostLeaseError
from workers.ledger import Item

log = logging.getLogger(__name__)

#: Trouble that is not the chunk's is waited out: half a second, doubled each time, up to this.
MAX_DELAY_S = 60.0
#: When a worker refuses a shard for good reason so often, the job cannot be done here.
MAX_REFUSALS = 12
#: What a store that does not answer is taken to say: wait four seconds.
UNKNOWN_FAILURES = 4

Action = Literal["retry", "later", "split", "failed"]


class GoneError(PermanentError):
    """The job was removed."""


@dataclass(frozen=True)
class Attempt:
    """A try at a piece of work that this process holds the lease of."""

    context: Context
    stage: Stage
    item: Item
    number: int
    message: Message
    held: Held

    @cached_property
    def store(self) -> ObjectStore:
        """The tenant's store."""
        return tree.home(self.context.root, self.item.job)

    @cached_property
    def request(self) -> JobRequest:
        """What the job asks for.

        Raises:
            GoneError: The job was removed.
        """
        request = load_request(self.item.job.id, self.store)
        if request is None:
            raise GoneError(f"The job {self.item.job} was removed.")
        return request

    @cached_property
    def shard(self) -> ShardPlan:
        """What the shard consists of.

        Raises:
            CorruptObjectError: It is missing.
        """
        return load_shard(self.item.job.id, self.item.shard, self.store)

    @cached_property
    def round(self) -> int:
        """The round that the work belongs to."""
        if self.item.shard:
            return round_of(self.item.shard)
        return tree.read(self.store, self.item.job.id).round

    @property
    def recipe(self) -> Recipe:
        """How the shard's chunks are made."""
        return recipe(self.request, self.round)

    @property
    def trail(self) -> str:
        """Prefix of what went wrong with this piece of work before."""
        return names.failures(self.item.job.id, self.item.shard or "book")

    def n_failures(self) -> int:
        """Return how many attempts at this stage are known to have come to nothing."""
        return sum(1 for _ in self._failures())

    def counted(self) -> list[Failure]:
        """Return what is known of those that may have been the chunk's fault, in order."""
        found = [load_failure(name, self.store) for name in self._failures()]
        counted = [each for each in found if each and each.action == "retry"]
        return sorted(counted, key=lambda each: each.at_s)

    def _failures(self) -> Iterator[str]:
        return (name for name in self.store.names(self.trail) if f"/{self.stage}-" in name)

    def fail(self, kind: str, detail: str, action: Action, number: int | None = None) -> int:
        """Record that an attempt came to nothing; return how many there are."""
        shard = self.item.shard or "book"
        n_failures = self.n_failures() + 1
        failure = Failure(
            stage=self.stage,
            shard=shard,
            attempt=number or self.number,
            worker=self.context.worker,
            at_s=time.time(),
            kind=kind,
            detail=detail,
            action=action,
        )
        name = names.failure(self.item.job.id, shard, self.stage, n_failures)
        self.store.put_new(name, failure.encode())
        return n_failures


#: Does the work; raises what stands in its way.
Work = Callable[[Attempt], None]


def run(context: Context, stage: Stage, message: Message, owner: str, work: Work) -> None:
    """Try a piece of work, unless somebody is at it or it is no longer wanted."""
    item = Item(message.ref, message.shard)
    lease_s = context.settings.lease_s
    with logs.about(job=str(message.ref), shard=message.shard, stage=stage):
        begun = context.ledger.begin(stage, item, message.priority, message.at, owner, lease_s)
        if begun is None:
            log.info("another worker is at it")
            return
        with logs.about(attempt=begun.attempt):
            with Held(context.ledger, stage, item, owner, lease_s) as held:
                attempt = Attempt(context, stage, item, begun.attempt, message, held)
                try:
                    _try(attempt, work)
                except LostLeaseError as error:
                    log.warning("%s", error)
                    return
                except Exception as error:
                    _put_off(attempt, error)
            # Not before: a renewal that came after it would take back a lease nobody holds.
            context.ledger.end(stage, item, owner)


def _try(attempt: Attempt, work: Work) -> None:
    started_s = time.monotonic()
    try:
        if ending.is_decided(attempt.request.id, attempt.round, attempt.store):
            return
    except GoneError as error:
        log.info("%s", error)
        return
    except CorruptObjectError as error:  # without it, nothing can be decided either
        log.error("the job cannot be read: %s", error)  # noqa: TRY400 - it says all
        return
    shard = attempt.item.shard
    if shard and attempt.store.exists(names.done(attempt.item.job.id, shard)):
        blame.announce(attempt)  # an old message, or one too many
        return
    if not blame.settled(attempt):
        work(attempt)
    metrics.shard_worked(attempt.stage, time.monotonic() - started_s)


def _put_off(attempt: Attempt, error: Exception) -> None:
    """Have it tried again later, or end the job; record what went wrong."""
    is_chunks_fault = isinstance(error, EngineError) or not isinstance(error, VoxmillError)
    if is_chunks_fault:
        log.exception("the attempt failed")
    else:
        log.warning("put off: %s", error)
        attempt.context.ledger.refund(attempt.stage, attempt.item)
    metrics.retried(attempt.stage, type(error).__name__)
    n_failures = _recorded(attempt, error, "retry" if is_chunks_fault else "later")
    is_hopeless = isinstance(error, PermanentError) and not is_chunks_fault
    if is_hopeless and n_failures >= MAX_REFUSALS:
        blame.end_job(attempt, str(error))
        return
    delay_s = min(MAX_DELAY_S, 0.25 * 2 ** min(n_failures, 10))
    attempt.context.ledger.later(attempt.item, attempt.stage, delay_s)


def _recorded(attempt: Attempt, error: Exception, action: Action) -> int:
    """Record a failure where the store allows it; return how many there are."""
    try:
        return attempt.fail(type(error).__name__, str(error) or repr(error), action)
    except VoxmillError as second:
        log.warning("cannot record it: %s", second)
        return UNKNOWN_FAILURES
