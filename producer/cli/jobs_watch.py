"""How watched jobs are shown: a bar on a terminal, lines elsewhere, JSON for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pipeline.jobs.state import ENDED, State
from pipeline.manifest.job import JobRequest
from pipeline.store.protocol import ObjectStore
from producer.cli.progress import LINE_EVERY_S, clock, say
from producer.queue.watching import Away, Moved, watch

#: Exit code of each end.
CODES: dict[State, int] = {"succeeded": 0, "partial": 3, "failed": 1, "cancelled": 1}
WORST_FIRST = (1, 3, 0)
#: What a shell says of a program that was stopped with Ctrl-C.
STOPPED = 130

Tell = Callable[[Moved | Away], None]


def until_ended(requests: Sequence[JobRequest], root: ObjectStore, *, as_json: bool) -> int:
    """Watch jobs until all have ended; return the exit code that says how."""
    refs = " ".join(str(request.ref) for request in requests)
    try:
        with _display(as_json=as_json) as tell:
            states = watch(requests, root, tell)
    except KeyboardInterrupt:
        goes_on = "The job goes on." if len(requests) == 1 else "The jobs go on."
        say(
            f"\n{goes_on} Look again with: voxmill jobs watch {refs}\n"
            f"Stop with: voxmill jobs cancel {refs}"
        )
        return STOPPED
    codes = {CODES[each] for each in states}
    return next((code for code in WORST_FIRST if code in codes), 0)


def _display(*, as_json: bool) -> AbstractContextManager[Tell]:
    if as_json:
        return nullcontext(_write)
    return _bars() if Console(stderr=True).is_terminal else nullcontext(_Lines())


def _write(event: Moved | Away) -> None:
    """Write an event as JSON."""
    if isinstance(event, Away):
        fields: dict[str, object] = {"event": "away", "state": "unknown", "detail": event.detail}
    else:
        result = event.result
        fields = {
            "event": "ended" if result else "progress",
            "job": str(event.request.ref),
            "state": event.state,
            **asdict(event.progress),
            **asdict(event.speed),
            "reason": result.reason if result else None,
            "location": result.location if result else None,
        }
    typer.echo(json.dumps(fields, ensure_ascii=False))


class _Lines:
    """A line every few seconds, and for what matters at once."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, State]] = {}
        self._is_away = False

    def __call__(self, event: Moved | Away) -> None:
        """Write the event as a line."""
        if isinstance(event, Away):
            if not self._is_away:
                say(f"{event.detail} Asking again …")
            self._is_away = True
            return
        self._is_away = False
        ref = str(event.request.ref)
        last_s, state = self._last.get(ref, (0.0, None))
        now_s = time.monotonic()
        if event.state != state or now_s - last_s >= LINE_EVERY_S:
            self._last[ref] = now_s, event.state
            say(f"{ref}: {_figures(event)}" if event.state not in ENDED else _ended(event))


class _Bars:
    """A bar for each job."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Moved | Away) -> None:
        """Draw the event."""
        if isinstance(event, Away):
            for task in self._tasks.values():
                self._progress.update(task, rate=f"{event.detail} Asking again …")
            return
        ref, progress = str(event.request.ref), event.progress
        if ref not in self._tasks:
            self._tasks[ref] = self._progress.add_task(ref, total=progress.n_chunks, rate="")
        rate = event.state if event.state in ENDED else _figures(event)
        self._progress.update(self._tasks[ref], completed=progress.n_done, rate=rate)
        if event.state in ENDED:
            self._progress.stop_task(self._tasks[ref])
            self._progress.console.print(_ended(event), markup=False, highlight=False)


@contextmanager
def _bars() -> Iterator[_Bars]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        console=Console(stderr=True),
        redirect_stdout=False,  # ids and JSON stay where they belong
    ) as progress:
        yield _Bars(progress)


def _figures(event: Moved) -> str:
    """Return "running, 12/64 chunks, 3.1 chunks/s, 12.3 s of audio/s, 0:00:17 left, 1 flagged"."""
    progress, speed = event.progress, event.speed
    parts = [event.state, f"{progress.n_done}/{progress.n_chunks} chunks"]
    if event.state == "running" and speed.left_s is not None:
        parts += [
            f"{speed.chunks_per_s:.1f} chunks/s",
            f"{speed.audio_per_s:.1f} s of audio/s",
            f"{clock(speed.left_s)} left",
        ]
    parts += [f"{progress.n_flagged} flagged"] if progress.n_flagged else []
    parts += [f"{progress.n_failed} failed"] if progress.n_failed else []
    return ", ".join(parts)


def _ended(event: Moved) -> str:
    result, ref = event.result, event.request.ref
    if result is None or result.location is None:
        why = f": {result.reason}" if result and result.reason else ""
        return f"{ref}: {event.state}{why}"
    flagged = (
        f", {result.n_flagged} of {result.n_chunks} chunks flagged" if result.n_flagged else ""
    )
    return f"{ref}: {event.state}{flagged}; {clock(result.duration_s)} in {result.location}"
