"""`voxmill jobs`: what has been submitted, how far it is, and what to do about it."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from producer.cli.queue import JsonOption, TenantOption, connected

if TYPE_CHECKING:
    from pipeline.manifest.job import JobRequest
    from pipeline.settings import Settings
    from pipeline.store.protocol import ObjectStore
    from producer.queue.history import Happened

#: Seconds between two looks of `logs --follow`.
FOLLOW_EVERY_S = 1.0

Job = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or how it begins.")]
Jobs = Annotated[list[str], typer.Argument(metavar="JOB…", help="Ids, or how they begin.")]

app = typer.Typer(help="Jobs of the queue.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Jobs of the queue."""


@app.command("list")
def list_jobs(
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only those queued, running, finishing, succeeded …; repeatable."),
    ] = None,
    tenant: TenantOption = None,
    limit: Annotated[int, typer.Option(min=1, help="No more than these.")] = 20,
    json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    from itertools import islice

    from producer.cli import jobs_show
    from producer.queue import looking

    states = jobs_show.states(state or [])
    settings, root = connected(tenant=tenant)
    found = list(islice(looking.newest(settings.tenant, root, states), limit))
    if json:
        _write([jobs_show.row(seen) for seen in found])
        return
    for seen in found:
        typer.echo(jobs_show.line(seen))
    if not found:
        typer.echo("no such jobs" if states else "no jobs yet; make one: voxmill submit", err=True)


@app.command("show")
def show_job(
    job: Job,
    links: Annotated[
        int, typer.Option(min=1, help="How long links to the files are good, in seconds.")
    ] = 3600,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> None:
    """Show a job: how far it is, its files, and what did not pass."""
    from producer.cli import jobs_show
    from producer.queue import looking

    settings, root = connected(tenant=tenant)
    detail = looking.detail(looking.find(job, settings.tenant, root), root)
    document = jobs_show.document(detail, settings, links)
    if json:
        _write(document)
    else:
        jobs_show.tell(detail, document)


@app.command("watch")
def watch_jobs(jobs: Jobs, tenant: TenantOption = None, json: JsonOption = False) -> None:
    """Watch jobs until all have ended.

    Exit codes: 0 all succeeded, 3 some have flagged chunks, 1 one failed or was cancelled, 130
    stopped with Ctrl-C: the jobs go on.
    """
    from producer.cli import jobs_watch

    _, root, requests = _found(jobs, tenant)
    sys.exit(jobs_watch.until_ended(requests, root, as_json=json))


@app.command("cancel")
def cancel_jobs(jobs: Jobs, tenant: TenantOption = None, json: JsonOption = False) -> None:
    """Stop jobs; what is made so far stays, for a retry.

    Exit codes: 0 all are cancelled, 1 one had ended before.
    """
    from producer.queue import acting

    settings, root, requests = _found(jobs, tenant)
    ended = [acting.cancel(request, root, settings) for request in requests]
    for request, result in zip(requests, ended, strict=True):
        said = "cancelled" if result.state == "cancelled" else f"had ended: {result.state}"
        _told(request, result.state, said, as_json=json)
    if any(result.state != "cancelled" for result in ended):
        raise typer.Exit(1)


@app.command("retry")
def retry_job(job: Job, tenant: TenantOption = None, json: JsonOption = False) -> None:
    """Do again what was flagged, failed or left undone; what passed stays."""
    from producer.queue import acting

    settings, root, (request,) = _found([job], tenant)
    begun = acting.retry(request, root, settings)
    _told(request, "queued", f"retry {begun.number}: {len(begun.chunks)} chunks", as_json=json)


@app.command("rm")
def remove_jobs(
    jobs: Jobs,
    outputs: Annotated[bool, typer.Option("--outputs", help="The finished files too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Cancel those that go on.")] = False,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> None:
    """Remove jobs that have ended. Takes stay in the store: other jobs may use them."""
    from producer.queue import acting

    settings, root, requests = _found(jobs, tenant)
    for request in requests:
        state = acting.remove(request, root, settings, with_outputs=outputs, by_force=force)
        _told(request, state, "removed", as_json=json)


@app.command("logs")
def show_logs(
    job: Job,
    follow: Annotated[bool, typer.Option("--follow", help="Until the job has ended.")] = False,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> None:
    """Show what has happened to a job.

    Told by the store, and by the logs of the stack on this machine where the job is its.
    """
    from producer.queue import looking

    settings, root = connected(tenant=tenant)
    request = looking.find(job, settings.tenant, root)
    shown: set[Happened] = set()
    while True:
        seen = looking.look(request, root)
        for each in sorted(_happened(request, root, settings) - shown):
            shown.add(each)
            _log(each, seen.state, as_json=json)
        if not follow or seen.result:
            return
        time.sleep(FOLLOW_EVERY_S)


def _happened(request: JobRequest, root: ObjectStore, settings: Settings) -> set[Happened]:
    from producer.queue import history

    folder = history.stack_folder(settings)
    told = history.of_stack(request.ref, folder) if folder else []
    return {*history.of_store(request, root), *told}


def _log(happened: Happened, state: str, *, as_json: bool) -> None:
    from datetime import UTC, datetime

    if as_json:
        fields = {"at_s": happened.at_s, "who": happened.who, "text": happened.text}
        typer.echo(jsonlib.dumps({**fields, "state": state}, ensure_ascii=False))
        return
    moment = datetime.fromtimestamp(happened.at_s, tz=UTC).astimezone()
    typer.echo(f"{moment:%Y-%m-%d %H:%M:%S}  {happened.who:<12} {happened.text}")


def _found(jobs: list[str], tenant: str | None) -> tuple[Settings, ObjectStore, list[JobRequest]]:
    """Return the jobs of these ids; all must be there before anything is done to one."""
    from producer.queue import looking

    settings, root = connected(tenant=tenant)
    return settings, root, [looking.find(job, settings.tenant, root) for job in jobs]


def _told(request: JobRequest, state: str, said: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(jsonlib.dumps({"job": str(request.ref), "state": state}))
    else:
        typer.echo(f"{request.ref}: {said}")


def _write(document: object) -> None:
    typer.echo(jsonlib.dumps(document, ensure_ascii=False, indent=1))
