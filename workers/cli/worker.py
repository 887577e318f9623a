"""`voxmill worker`: take work from the queue until told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

QUEUES = ("synth", "check", "finalize")


def worker(
    queues: Annotated[
        str, typer.Option(help="Of synth, check, finalize.")
    ] = "synth,check,finalize",
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    name: Annotated[str, typer.Option(help="One of its kind on this machine.")] = "worker",
) -> None:
    """Speak, check and finish what is on the queue.

    One shard at a time. SIGTERM lets the shard that is worked at be finished, for
    VOXMILL_GRACE_S seconds.
    """
    from workers.cli.environment import settled

    wanted = [part.strip() for part in queues.split(",") if part.strip()]
    unknown = [each for each in wanted if each not in QUEUES]
    if unknown or not wanted:
        raise typer.BadParameter(
            f"unknown {', '.join(unknown) or 'nothing'}; choose of {', '.join(QUEUES)}",
            param_hint="--queues",
        )
    settings = settled(name, device)
    from workers import serving  # after that: it finds the environment as it is then

    serving.serve(settings, wanted, name)  # type: ignore[arg-type]  # checked above
