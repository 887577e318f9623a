"""The loop that makes up for everything that can be lost: stateless, any number may run.

It lists the jobs that have not ended, looks after each in turn, publishes again what was lost,
and puts back what was put off. Nothing depends on it while nothing goes wrong but the start of a
job, which it hears of by a message and would find by itself.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline import names
from pipeline.errors import RequestError, VoxmillError
from pipeline.manifest.ref import JobRef
from workers import depths, metrics, tending, webhooks
from workers.context import Context
from workers.ledger import observing

log = logging.getLogger(__name__)

#: A job is read anew from the store at least so often, as far as that takes …
AUDIT_EVERY_S = 30.0
#: … no more than this share of the reconciler's time.
AUDIT_SHARE = 0.5
#: Jobs that the ledger does not know are looked at for so long; the next round goes on with them.
MAX_NEW_S = 30.0


@dataclass(slots=True)
class Reconciler:
    """One reconciler; what it remembers only saves work."""

    context: Context
    #: When each job was last read from the store, by the process's clock.
    _tended_s: dict[JobRef, float] = field(default_factory=dict)

    def once(self, hints: set[JobRef]) -> None:
        """Make one round.

        Args:
            hints: Jobs somebody asked to look at now.
        """
        started_s = time.monotonic()
        active = list(self._active())
        self._tended_s = {ref: self._tended_s.get(ref, 0.0) for ref in active}
        for ref in hints:
            self._tend(ref)
        self._meet([ref for ref in active if ref not in hints], started_s)
        self._audit(started_s)
        self._rescue()
        self.context.sender.dispatch()
        metrics.reconciled(time.monotonic() - started_s)
        metrics.ledger_seen(observing.snapshot(self.context.ledger), len(active))

    def _active(self) -> Iterator[JobRef]:
        for name in self.context.root.names(names.ACTIVE):
            try:
                yield JobRef.parse(name.rpartition("/")[2])
            except RequestError as error:
                log.warning("%s: %s", name, error)

    def _meet(self, active: list[JobRef], started_s: float) -> None:
        """Look at jobs that the ledger does not know: new ones, and those that have ended."""
        unknown = set(active) - self.context.ledger.knows(active)
        unknown -= webhooks.waiting(self.context)
        for ref in active:
            if time.monotonic() - started_s > MAX_NEW_S:
                return
            if ref in unknown:
                self._tend(ref)

    def _audit(self, started_s: float) -> None:
        """Read jobs from the store that were not read for long, those longest first."""
        limit_s = max(0.2, self.context.settings.reconcile_every_s * AUDIT_SHARE)
        for ref, tended_s in sorted(self._tended_s.items(), key=lambda each: each[1]):
            now_s = time.monotonic()
            if now_s - tended_s < self._audit_every_s or now_s - started_s > limit_s:
                return
            self._tend(ref)

    @property
    def _audit_every_s(self) -> float:
        return max(AUDIT_EVERY_S, self.context.settings.reconcile_every_s)

    def _tend(self, ref: JobRef) -> None:
        try:
            tending.tend(self.context, ref)
        except VoxmillError as error:
            log.warning("the job %s must wait: %s", ref, error)
        except Exception:
            log.exception("the job %s cannot be looked after; the others are", ref)
        self._tended_s[ref] = time.monotonic()

    def _rescue(self) -> None:
        """Publish again what nobody looks after, and what was put off until now."""
        ledger, sender = self.context.ledger, self.context.sender
        empty = [lane for lane, depth in depths.depths(sender.app).items() if not depth]
        for lost in ledger.neglected(empty, self.context.settings.slack_s):
            log.warning("lost: %s of %s; published again", lost.stage, lost.item)
            metrics.retried(lost.stage, "Neglected")
            sender.send(lost.stage, lost.item, lost.priority)
        for due in ledger.due():
            sender.send(due.stage, due.item, due.priority)


def name() -> str:
    """Return this reconciler's name."""
    return f"reconciler@{socket.gethostname()}"
