"""How a render shows what it does: a bar on a terminal, lines elsewhere, JSON for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pipeline.assembly.report.phrases import count
from pipeline.run.events import ChunkDone, Event, Finished, Note, Planned, Step

#: Seconds between two plain lines.
LINE_EVERY_S = 5.0


class Rate:
    """How fast audio is made, and when it will be done."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._first = 0
        self.audio_s = 0.0
        self.n_flagged = 0

    def begin(self, planned: Planned) -> None:
        """Start counting; cached chunks do not count as speed."""
        self._started, self._first = time.monotonic(), planned.n_cached

    def add(self, event: ChunkDone) -> str:
        """Count a chunk and return "12.3 × real time, 0:41 left"."""
        self.audio_s += event.audio_s
        self.n_flagged += event.is_flagged
        passed = max(time.monotonic() - self._started, 1e-3)
        made = max(event.n_done - self._first, 1)
        left = passed / made * (event.n_chunks - event.n_done)
        flagged = f", {self.n_flagged} flagged" if self.n_flagged else ""
        return f"{self.audio_s / passed:.1f} × real time, {clock(left)} left{flagged}"


class Bar:
    """A progress bar with rate and ETA."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._rate = Rate()

    def __call__(self, event: Event) -> None:
        """Draw the event."""
        match event:
            case Planned():
                self._rate.begin(event)
                self._progress.console.print(headline(event), markup=False, highlight=False)
                self._update("speaking", event.n_cached, event.n_chunks, "")
            case ChunkDone():
                self._update("speaking", event.n_done, event.n_chunks, self._rate.add(event))
            case Step():
                self._update(event.stage, round(100 * event.fraction), 100, event.detail)
            case Note():
                self._progress.console.print(f"note: {event.text}", markup=False, highlight=False)
            case Finished():
                self._progress.refresh()

    def _update(self, name: str, done: float, total: float, rate: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, rate=rate)
        self._progress.update(self._tasks[name], completed=done, total=total, rate=rate)


class Lines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._rate = Rate()
        self._last = 0.0
        self._stage = ""

    def __call__(self, event: Event) -> None:
        """Write the event as a line."""
        match event:
            case Planned():
                self._rate.begin(event)
                say(headline(event))
            case ChunkDone():
                rate = self._rate.add(event)
                if event.n_done == event.n_chunks or time.monotonic() > self._last + LINE_EVERY_S:
                    self._last = time.monotonic()
                    say(f"speaking: {event.n_done}/{event.n_chunks} chunks, {rate}")
            case Step():
                if event.stage != self._stage:
                    self._stage = event.stage
                    say(f"{event.stage} {event.detail}".rstrip())
            case Note():
                say(f"note: {event.text}")
            case Finished():
                pass


class Json:
    """One JSON object a line on stdout."""

    def __call__(self, event: Event) -> None:
        """Write the event as JSON."""
        fields = {"event": type(event).__name__}
        for name, value in asdict(event).items():
            fields[name] = value.model_dump() if hasattr(value, "model_dump") else value
        typer.echo(json.dumps(fields, ensure_ascii=False))


def display(*, as_json: bool) -> AbstractContextManager[Callable[[Event], None]]:
    """Return what fits: JSON when asked for, a bar on a terminal, else lines."""
    if as_json:
        return nullcontext(Json())
    return _bar() if Console(stderr=True).is_terminal else nullcontext(Lines())


@contextmanager
def _bar() -> Iterator[Bar]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        console=Console(stderr=True),
    ) as progress:
        yield Bar(progress)


def headline(planned: Planned) -> str:
    """Return "The Tide Clock: 2 chapters, 64 chunks, about 0:04:31 of audio"."""
    cached = f", {planned.n_cached} already done" if planned.n_cached else ""
    return (
        f"{planned.title}: {count(planned.n_chapters, 'chapter')}, "
        f"{count(planned.n_chunks, 'chunk')}, about {clock(planned.estimated_s)} of audio{cached}"
    )


def say(text: str) -> None:
    """Write a line where progress belongs: on stderr."""
    typer.echo(text, err=True)


def clock(seconds: float) -> str:
    """Return h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def json_error(error: Exception) -> None:
    """Tell a program that the command failed, on the stream it reads."""
    fields = {"event": "Error", "kind": type(error).__name__, "message": str(error)}
    typer.echo(json.dumps(fields, ensure_ascii=False))


@contextmanager
def steps(title: str) -> Iterator[Callable[[float, str], None]]:
    """Show work that tells only its share and what it is at: a bar on a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _StepLines(title)
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda share, detail: progress.update(
            task, completed=share, description=f"{title} {detail}"
        )


class _StepLines:
    """A line for each new thing that is worked at."""

    def __init__(self, title: str) -> None:
        self._title, self._last = title, ""

    def __call__(self, share: float, detail: str) -> None:  # noqa: ARG002 - the bar shows it
        """Write what the work is at, once."""
        if detail != self._last:
            self._last = detail
            say(f"{self._title} {detail}")
