"""A lease kept alive from a thread while its holder works."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from pipeline.errors import TransientError
from pipeline.manifest.message import Stage
from workers.ledger import Item, Ledger

log = logging.getLogger(__name__)

#: Renewals in the time of one lease, so that two may fail.
RENEWALS = 3


class LostLeaseError(TransientError):
    """Others believe that this worker has died, and may be doing its work."""


class Held:
    """Renews a lease until it is left; the work may ask whether it is still held.

    Losing a lease does not make the work wrong: all that is written is written once. It makes it
    superfluous.
    """

    def __init__(
        self, ledger: Ledger, stage: Stage, item: Item, owner: str, lease_s: float
    ) -> None:
        self._ledger, self._stage, self._item = ledger, stage, item
        self._owner, self._lease_s = owner, lease_s
        self._left = threading.Event()
        self._is_lost = False
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Held:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        self._thread.join()

    def require(self) -> None:
        """Stop work that others may be doing by now.

        Raises:
            LostLeaseError: The lease was lost.
        """
        if self._is_lost:
            raise LostLeaseError(f"The lease on {self._item} ({self._stage}) was lost.")

    def _renew(self) -> None:
        while not self._left.wait(self._lease_s / RENEWALS):
            try:
                held = self._ledger.renew(self._stage, self._item, self._owner, self._lease_s)
            except TransientError as error:
                log.warning("cannot renew a lease: %s", error)
                continue
            if not held:
                self._is_lost = True
                return
