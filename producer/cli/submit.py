"""`voxmill submit`: inputs in, jobs on the queue out."""

from __future__ import annotations

import json as jsonlib
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from producer.cli.options import Flags, with_flags

if TYPE_CHECKING:
    from producer.cli.asking import Item
    from producer.queue.submitting import Submitted, Submitter

#: Of several inputs, the worst outcome is the command's; 130 and 3 come from --wait.
WORST_FIRST = (130, 1, 2, 3, 0)


class PriorityName(StrEnum):
    """Whose turn it is when there is more to do than workers can."""

    high = "high"
    normal = "normal"
    low = "low"


@with_flags
def submit(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Books, folders of books, s3://bucket/key, https://…, or .jsonl manifests.",
        ),
    ],
    flags: Flags,
    output: Annotated[
        str | None, typer.Option(help="Where finished files go: s3://bucket/prefix, or a folder.")
    ] = None,
    priority: Annotated[PriorityName, typer.Option(help="Who goes first.")] = PriorityName.normal,
    job_id: Annotated[
        str | None, typer.Option(help="The job's id; derived from all that is asked if not given.")
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(help="From now, as 2h or 1d12h, or a moment: 2026-12-01T06:00Z."),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(help="https:// address to tell when the job has ended.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Whose job it is; VOXMILL_TENANT's if not given.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch until all have ended.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Put texts on the queue and write the id of each job, one a line.

    The same again is the same job, so the command may be repeated at any time. A line of a
    manifest is a job: {"input": "a.epub", "voice": "emma", "options": {"speed": 1.1}}.

    Exit codes: 0 all are on the queue, 2 bad input or options, 1 another error; of several inputs
    the worst. With --wait those of `voxmill jobs watch` too.
    """
    from producer.cli import asking, jobs_watch
    from producer.cli.queue import connected
    from producer.queue.submitting import Submitter

    settings, root = connected(flags.settings(), tenant)
    asked = asking.Asked(flags, output, priority.value, job_id, deadline, webhook)
    items = list(asking.items(inputs, asked))
    if job_id and len(items) > 1:
        raise typer.BadParameter(
            f"one id cannot name {len(items)} jobs; leave it out", param_hint="--job-id"
        )
    submitter = Submitter(settings, root)
    outcomes = [
        _submit_one(item, submitter, number=f"{number}/{len(items)} ", as_json=json)
        for number, item in enumerate(items, 1)
    ]
    codes = {each for each in outcomes if isinstance(each, int)}
    done = [each.request for each in outcomes if not isinstance(each, int)]
    if wait and done:
        codes.add(jobs_watch.until_ended(done, root, as_json=json))
    sys.exit(next((code for code in WORST_FIRST if code in codes), 0))


def _submit_one(item: Item, submitter: Submitter, number: str, *, as_json: bool) -> Submitted | int:
    """Submit one input; report an error of this input without stopping the others."""
    from pipeline.errors import VoxmillError
    from producer.cli.progress import say

    was_reachable = submitter.is_reachable
    try:
        submitted = submitter.submit(item.required())
    except VoxmillError as error:
        text = item.located(error)
        if as_json:
            _write(job=None, state="refused", input=item.input, error=text)
        typer.secho(f"voxmill: {text}", fg=typer.colors.RED, err=True)
        return error.exit_code
    if was_reachable and not submitter.is_reachable:
        say("The queue cannot be reached now; the job is stored and will start when it can.")
    _show(item, submitted, number, as_json=as_json)
    return submitted


def _show(item: Item, submitted: Submitted, number: str, *, as_json: bool) -> None:
    from producer.cli.progress import clock, say

    request = submitted.request
    if as_json:
        _write(
            job=str(request.ref),
            state=submitted.state,
            input=item.input,
            chunks=request.n_chunks,
            is_new=submitted.is_new,
        )
        return
    typer.echo(str(request.ref))
    if not submitted.is_new:
        say(f"{item.input}: there already, {submitted.state}. {_next(submitted)}")
        return
    if sys.stderr.isatty():
        say(
            f"{number}{request.body.render.title}: {request.n_chunks} chunks, about "
            f"{clock(request.duration_s)} of audio"
        )
    for note in request.notes:
        say(f"note: {note}")


def _next(submitted: Submitted) -> str:
    verb = {"failed": "retry", "cancelled": "retry", "partial": "retry", "succeeded": "show"}
    return f"See: voxmill jobs {verb.get(submitted.state, 'watch')} {submitted.request.ref}"


def _write(**fields: object) -> None:
    typer.echo(jsonlib.dumps(fields, ensure_ascii=False))
