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
    from workers import looking_after
    from workers.cli.environment import settled

    looking_after.serve(settled("reconciler"), once=once)
