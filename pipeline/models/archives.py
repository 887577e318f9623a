"""Model files out of a zip file on the hub, which is pinned and not kept."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from pipeline.models import hub, records
from pipeline.models.files import (
    BLOCK_BYTES,
    Progress,
    SourceError,
    fits,
    half_made,
    install,
    require_space,
)
from pipeline.models.sources import HubArchive, ModelFile


def fetch(
    source: HubArchive,
    wanted: tuple[ModelFile, ...],
    folder: Path,
    hub_url: str,
    progress: Progress,
) -> None:
    """Download the zip file, and unpack the wanted files into the folder.

    Raises:
        SourceError: The hub cannot give it, or a file is not in it.
        StorageError: The disk is too full to hold it and its files.
    """
    path = folder / source.archive.name
    if not (path.is_file() and fits(path, source.archive)):
        require_space(folder, source.archive.size_bytes)
        hub.fetch(source.hub, (source.archive,), folder, hub_url, progress)
    with zipfile.ZipFile(path) as archive:
        members = {PurePosixPath(info.filename).name: info for info in archive.infolist()}
        found = [(file, members.get(PurePosixPath(file.name).name)) for file in wanted]
        require_space(folder, sum(member.file_size for _, member in found if member))
        for file, member in found:
            if member is None:
                raise SourceError(f"{source.archive.name} lacks {PurePosixPath(file.name).name}.")
            _unpack(archive, member, file, folder)
    path.unlink()


def _unpack(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: ModelFile, folder: Path
) -> None:
    part = half_made(folder, file)
    part.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed, part.open("wb") as out:
        shutil.copyfileobj(packed, out, BLOCK_BYTES)
    if not install(folder, file):
        raise SourceError(f"{archive.filename}: {member.filename} inside is not the pinned file.")
    if not file.sha256:
        records.write(folder, file.name)
