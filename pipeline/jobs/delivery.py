"""Finished files into their place: `{output}/{job}/{edition}/`.

An edition is named by the digest of its files and of the round they are the outcome of. So whoever
delivers the same files meets the others there, and different files, of another finalizer or of a
retry, never mix; and once its round is decided, an edition is the chosen one or nobody's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from pipeline.errors import CorruptObjectError
from pipeline.manifest.delivery import DeliveryManifest
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import OutputFile, Result
from pipeline.run.digests import sha256
from pipeline.store.protocol import ObjectStore

MANIFEST = "manifest.json"
#: Files uploaded at once.
AT_ONCE = 4
#: Hex digits that name an edition.
DIGITS = 12

CONTENT_TYPES = {
    ".ass": "text/x-ssa; charset=utf-8",
    ".flac": "audio/flac",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4b": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".opus": "audio/ogg",
    ".png": "image/png",
    ".srt": "application/x-subrip; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".wav": "audio/wav",
}
#: Longest title and list of voices in the metadata of an object: S3 takes 2 kB of all together.
TITLE_BYTES, VOICES_BYTES = 500, 1000


@dataclass(frozen=True, slots=True)
class Edition:
    """Files that belong together."""

    #: Below the output's address.
    prefix: str
    #: Where they are on this machine.
    folder: Path
    outputs: tuple[OutputFile, ...]


def edition(request: JobRequest, number: int, folder: Path, paths: Iterable[Path]) -> Edition:
    """Return the edition that files below a folder are, as the outcome of a round."""
    outputs = tuple(_output(path, folder) for path in paths)
    listed = sorted(f"{file.sha256} {file.name}" for file in outputs)
    facts = "\n".join([f"{request.ref} {number}", *listed])
    name = hashlib.sha256(facts.encode()).hexdigest()[:DIGITS]
    return Edition(f"{request.id}/{name}", folder, outputs)


def deliver(
    files: Edition,
    manifest: DeliveryManifest,
    output: ObjectStore,
    keep_going: Callable[[], None],
) -> Edition:
    """Upload an edition, and last the manifest that lists its files.

    Files that are there already, of a finalizer that was killed before it could decide, are not
    sent again.

    Returns:
        The edition with its manifest.

    Raises:
        CorruptObjectError: A file of this name is there and is another.
    """
    metadata = _metadata(manifest)

    def upload(file: OutputFile) -> None:
        keep_going()
        _put(file, files, metadata, output)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(upload, files.outputs):
            pass
    path = files.folder / MANIFEST
    path.write_bytes(manifest.encode())
    listed = _output(path, files.folder)
    upload(listed)
    return replace(files, outputs=(*files.outputs, listed))


def links(result: Result, request: JobRequest, output: ObjectStore, expires_s: int) -> list[str]:
    """Return an address for each output, in order, that a browser can open until it expires."""
    if result.location is None:
        return []
    prefix = prefix_of(result.location, request)
    return [output.link(f"{prefix}/{file.name}", expires_s) for file in result.outputs]


def prefix_of(location: str, request: JobRequest) -> str:
    """Return where a result's files are below the output's address."""
    return f"{request.id}/{location.rstrip('/').rpartition('/')[2]}"


def _put(file: OutputFile, files: Edition, metadata: dict[str, str], output: ObjectStore) -> None:
    name = f"{files.prefix}/{file.name}"
    if _is_there(name, file, output):
        return
    content_type = CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
    path = files.folder / file.name
    is_ours = output.put_file(name, path, content_type=content_type, metadata=metadata)
    if not is_ours and not _is_there(name, file, output):
        raise CorruptObjectError(
            f"{output.place(name)} is there and is another file. Remove it, and retry the job."
        )


def _is_there(name: str, file: OutputFile, output: ObjectStore) -> bool:
    standing = output.stat(name)
    return (
        standing is not None
        and standing.sha256 == file.sha256
        and standing.size_bytes == file.size_bytes
    )


def _metadata(manifest: DeliveryManifest) -> dict[str, str]:
    """Return what each object carries; S3 takes ASCII only."""
    voices = "; ".join(origin for _, origin in manifest.request.voice_origins)
    return {
        "voxmill-job": manifest.job,
        "voxmill-title": _ascii(manifest.title, TITLE_BYTES),
        "voxmill-voices": _ascii(voices, VOICES_BYTES),
    }


def _ascii(text: str, max_bytes: int) -> str:
    """Return a text with everything that is not ASCII percent-encoded, cut between characters."""
    encoded = [quote(character, safe=" ;:,.()=+/@") for character in text[:max_bytes]]
    while sum(map(len, encoded)) > max_bytes:
        encoded.pop()
    return "".join(encoded)


def _output(path: Path, folder: Path) -> OutputFile:
    return OutputFile(
        name=path.relative_to(folder).as_posix(),
        size_bytes=path.stat().st_size,
        sha256=sha256(path),
    )
