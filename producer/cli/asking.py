"""From what a command line and its manifests say to the jobs that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from pipeline.errors import InputError, RequestError, VoxmillError
from pipeline.manifest.job import Priority
from producer.cli.options import Flags
from producer.cli.progress import say
from producer.queue import batch
from producer.queue import inputs as given
from producer.queue.batch import Line
from producer.queue.submitting import Wanted

#: Files of a folder that are named when they are passed over.
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of all jobs; a line of a manifest may say it otherwise."""

    flags: Flags
    output: str | None
    priority: Priority
    job_id: str | None
    deadline: str | None
    webhook: str | None

    def wanted(self, text: str) -> Wanted:
        """Return the job that is wanted of an input.

        Raises:
            RequestError: Nothing says where its files go.
        """
        if self.output is None:
            raise RequestError("Say where finished files go: --output s3://bucket/prefix")
        return Wanted(
            input=text,
            output=self.output,
            options=self.flags.options(),
            priority=self.priority,
            job_id=self.job_id,
            deadline=self.deadline,
            webhook=self.webhook,
        )

    def but(self, line: Line) -> Asked:
        """Return what a line of a manifest makes of it."""
        own = {
            name: getattr(line, name)
            for name in ("output", "priority", "job_id", "deadline", "webhook")
            if getattr(line, name) is not None
        }
        return replace(self, flags=self.flags.but(line.flags), **own)


@dataclass(frozen=True, slots=True)
class Item:
    """One input, and the job that is wanted of it, or why there can be none."""

    input: str
    wanted: Wanted | VoxmillError
    #: Where in a manifest it stands.
    place: str = ""

    def required(self) -> Wanted:
        """Return the job that is wanted, or raise what stands in its way."""
        if isinstance(self.wanted, VoxmillError):
            raise self.wanted
        return self.wanted

    def located(self, error: VoxmillError) -> str:
        """Return an error's text, with the place that names the input."""
        return f"{self.place}: {error}" if self.place and error is not self.wanted else str(error)


def items(inputs: list[str], asked: Asked) -> Iterator[Item]:
    """Yield what each input stands for; a folder for many, a manifest too."""
    for text in inputs:
        path = Path(text)
        try:
            if given.is_remote(text):
                yield Item(given.shown(text), asked.wanted(text))
            elif path.is_dir():
                yield from _books(path, asked)
            elif path.suffix.lower() == given.MANIFEST:
                yield from _lines(path, asked)
            else:
                yield Item(text, asked.wanted(text))
        except VoxmillError as error:
            yield Item(given.shown(text), error)


def _books(folder: Path, asked: Asked) -> Iterator[Item]:
    found = given.books(folder)
    if found.skipped:
        named = ", ".join(path.name for path in found.skipped[:MAX_NAMED])
        more = " …" if len(found.skipped) > MAX_NAMED else ""
        say(f"{folder}: {len(found.skipped)} other files are passed over: {named}{more}")
    for path in found.paths:
        yield Item(str(path), asked.wanted(str(path)))


def _lines(manifest: Path, asked: Asked) -> Iterator[Item]:
    for number, line in batch.read(manifest):
        place = batch.place(number)
        if isinstance(line, InputError):
            yield Item(f"{manifest}, {place}", line)
            continue
        try:
            yield Item(
                given.shown(line.input), asked.but(line).wanted(line.input), f"{manifest}, {place}"
            )
        except RequestError as error:
            yield Item(given.shown(line.input), _refused(manifest, place, str(error)))
        except typer.BadParameter as error:
            yield Item(
                given.shown(line.input), _refused(manifest, place, f"{error.format_message()}.")
            )


def _refused(manifest: Path, place: str, problem: str) -> InputError:
    return InputError(manifest, problem, remedy="Correct this line.", place=place)
