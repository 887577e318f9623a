"""`voxmill queues`: what waits, who works at what, and for how long."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings


def queues(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show how many messages wait at each stage, for how long, and who works at what.

    Of a job's shards only as many are published as workers can use soon; the rest waits in line.
    """
    from pipeline import local_stack
    from pipeline.settings import Settings

    settings = Settings()
    if "redis_url" not in settings.model_fields_set:
        settings = local_stack.settings_of_running(settings)
    seen = look(settings)
    if json:
        typer.echo(jsonlib.dumps(seen, indent=1))
    else:
        _show(seen)


def look(settings: Settings) -> dict[str, Any]:
    """Return what `--json` shows.

    Raises:
        TransientError: Redis or the broker does not answer.
    """
    from workers import ledger
    from workers.ledger import observing

    seen = observing.snapshot(ledger.connect(settings.redis_url))
    messages = _messages(settings)
    return {
        "stages": [
            {
                "stage": stage,
                "messages": messages[stage],
                "published": count.n_queued,
                "leased": count.n_leased,
                "oldest_s": round(count.oldest_s, 1),
                "workers": sum(stage in served for served in seen.workers.values()),
            }
            for stage, count in seen.stages.items()
        ],
        "jobs": [{"job": str(job), "pending": n} for job, n in seen.pending.items()],
        "leases": [
            {
                "stage": lease.stage,
                "job": str(lease.item.job),
                "shard": lease.item.shard,
                "owner": lease.owner,
                "left_s": round(lease.left_s, 1),
            }
            for lease in seen.leases
        ],
        "later": seen.n_later,
        "workers": [{"name": name, "stages": served} for name, served in seen.workers.items()],
    }


def _messages(settings: Settings) -> dict[str, dict[str, int]]:
    """Return the messages in the broker, by stage and priority; RabbitMQ knows but all of them."""
    from urllib.parse import urlsplit

    from pipeline.broker import is_amqp
    from pipeline.errors import TransientError
    from workers import app, depths
    from workers.broker import ERRORS

    broker = settings.broker_url or settings.redis_url
    try:
        found = depths.depths(app.create(settings))
    except ERRORS as error:
        host = urlsplit(broker.get_secret_value()).hostname
        raise TransientError(
            f"The broker at {host} cannot be reached ({type(error).__name__}). Is it running?"
        ) from error
    by_stage: dict[str, dict[str, int]] = {}
    for (stage, priority), n in found.items():
        told = "all" if is_amqp(broker.get_secret_value()) else priority
        by_stage.setdefault(stage, {})[told] = n
    return by_stage


def _show(seen: dict[str, Any]) -> None:
    stages = [
        [
            row["stage"],
            " ".join(str(n) for n in row["messages"].values()),
            str(row["published"]),
            str(row["leased"]),
            f"{row['oldest_s']} s",
            str(row["workers"]),
        ]
        for row in seen["stages"]
    ]
    priorities = "/".join(seen["stages"][0]["messages"])
    _table(["stage", f"waiting ({priorities})", "published", "leased", "oldest", "workers"], stages)
    _table(["job", "shards in line"], [[row["job"], str(row["pending"])] for row in seen["jobs"]])
    _table(
        ["stage", "job", "shard", "worked at by", "lease"],
        [
            [row["stage"], row["job"], row["shard"], row["owner"], f"{row['left_s']} s"]
            for row in seen["leases"]
        ],
    )
    if seen["later"]:
        typer.echo(f"put off: {seen['later']}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show rows, if there are any: as a table on a terminal, as aligned text elsewhere."""
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    console = Console()
    if console.is_terminal:
        table = Table(*columns)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    typer.echo()
