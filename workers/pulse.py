"""Whether Celery's loop turns: it stands still while the broker is away, or when it hangs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from celery import bootsteps

#: Between two beats.
EVERY_S = 5.0


@dataclass(slots=True)
class Pulse:
    """When the loop last turned, by the process's clock."""

    _last_s: float | None = None

    def beat(self) -> None:
        """Note that it turns."""
        self._last_s = time.monotonic()

    @property
    def silent_s(self) -> float | None:
        """For how long it has not been felt; None before the first time."""
        return None if self._last_s is None else time.monotonic() - self._last_s


def step(pulse: Pulse) -> type[bootsteps.StartStopStep]:
    """Return what Celery starts anew with each connection to the broker: it beats in the loop."""

    class Beating(bootsteps.StartStopStep):  # type: ignore[misc]
        """Beats as long as messages are consumed."""

        requires = ("celery.worker.consumer.tasks:Tasks",)
        entry: Any = None

        def start(self, consumer: Any) -> None:
            pulse.beat()
            self.entry = consumer.timer.call_repeatedly(EVERY_S, pulse.beat)

        def stop(self, consumer: Any) -> None:
            del consumer
            if self.entry:  # else the broker was lost before it started
                self.entry.cancel()

    return Beating
