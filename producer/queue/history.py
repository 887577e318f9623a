"""What has happened to a job: told by its objects, and by the logs of a stack on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import local_stack
from pipeline.jobs import state, tree
from pipeline.jobs.records import load_result, load_round
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.ref import JobRef
from pipeline.manifest.shard import Failure, ShardReceipt
from pipeline.settings import Settings
from pipeline.store.protocol import ObjectStore
from producer.queue.looking import read_failures, read_receipts

#: Folder of the stack's logs.
LOGS = "logs"


@dataclass(frozen=True, slots=True, order=True)
class Happened:
    """One thing that happened."""

    #: Seconds since 1970, by the clock of who tells it.
    at_s: float
    #: A worker, a process of the stack, or "" for the client.
    who: str
    text: str


def of_store(request: JobRequest, root: ObjectStore) -> list[Happened]:
    """Return what the store tells of a job, in the order of time."""
    store = tree.home(root, request.ref)
    found = tree.read(store, request.id)
    n_chunks, audio_s = request.n_chunks, round(request.duration_s)
    told = [Happened(request.created_s, "", f"submitted: {n_chunks} chunks, about {audio_s} s")]
    told += map(_done, read_receipts(request.id, found.done, store))
    told += map(_failed, read_failures(request.id, found, store))
    told += _decisions(request, found, store)
    return sorted(told)


def of_stack(ref: JobRef, folder: Path) -> list[Happened]:
    """Return what a stack's logs say of a job, in the order of time."""
    return sorted(
        each for log in sorted((folder / LOGS).glob("*.log*")) for each in _lines(log, ref)
    )


def stack_folder(settings: Settings) -> Path | None:
    """Return the folder of the stack on this machine, if that is the queue in use."""
    stack = local_stack.load(settings.stack_dir)
    if stack is None:
        return None
    reached = (stack.store_url, stack.s3_endpoint_url)
    return settings.stack_dir if reached == (settings.store_url, settings.s3_endpoint_url) else None


def _done(receipt: ShardReceipt) -> Happened:
    figures = state.tally(receipt)
    bad = [
        f"{number} {name}"
        for number, name in ((figures.n_flagged, "flagged"), (figures.n_failed, "failed"))
        if number
    ]
    made = ", ".join([f"{figures.n_chunks} chunks", f"{figures.audio_s:.1f} s of audio", *bad])
    return Happened(receipt.finished_s, receipt.worker, f"shard {receipt.shard} done: {made}")


def _failed(failure: Failure) -> Happened:
    again = "tried again"
    what = {"retry": again, "later": again, "split": "tried in halves", "failed": "given up"}
    return Happened(
        failure.at_s,
        failure.worker,
        f"{failure.stage} of {failure.shard}, attempt {failure.attempt}, came to nothing: "
        f"{failure.kind}: {failure.detail} ({what[failure.action]})",
    )


def _decisions(request: JobRequest, found: JobTree, store: ObjectStore) -> Iterator[Happened]:
    for number in found.rounds:
        begun = load_round(request.id, number, store)
        if begun:
            yield Happened(begun.created_s, "", f"retry {number}: {len(begun.chunks)} chunks")
    for number in sorted(found.results):
        result = load_result(request.id, number, store)
        if result:
            why = f": {result.reason}" if result.reason else ""
            yield Happened(result.finished_s or 0.0, "", f"{result.state}{why}")


def _lines(log: Path, ref: JobRef) -> Iterator[Happened]:
    """Yield a log's lines about a job; what is not of the log's form is passed over."""
    with log.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            if ref.id in text and (told := _line(text, ref, log.stem)):
                yield told


def _line(text: str, ref: JobRef, process: str) -> Happened | None:
    try:
        line = json.loads(text)
        if line.get("job") != str(ref):
            return None
        at_s = datetime.fromisoformat(line["time"]).timestamp()
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    about = " ".join(str(line[name]) for name in ("stage", "shard") if line.get(name))
    message = str(line.get("message", ""))
    return Happened(at_s, process, f"{message} [{about}]" if about else message)
