"""`voxmill reconcile`: look after jobs until told to stop."""

from __future__ import annotations

from typing import Annotated

import typer


def reconcile(
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
) -> None:
    """Start jobs, make up for what was lost, end what is late, and tell webhooks.

    Any number may run; each needs only the store, Redis and the broker.
    """
    from workers.cli.environment import settled

    settings = settled("reconciler")
    from workers import looking_after  # after that: it finds the environment as it is then

    looking_after.serve(settings, once=once)
