"""Finished files into their place: `{output}/{job}/{edition}/`.

An edition is named by the digest of its files. So whoever delivers the same files meets the others
there, and different files, of another finalizer or of a retry, never mix.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from pipeline.errors import CorruptObjectError
from pipeline.manifest.delivery import DeliveryManifest
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import OutputFile, Result
from pipeline.run.digests import sha256
from pipeline.run.prepare import Job
from pipeline.store.protocol import ObjectStore

MANIFEST = "manifest.json"
#: Files uploaded at once.
AT_ONCE = 4
#: Hex digits that name an edition.
EDITION = 12

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


@dataclass(frozen=True, slots=True)
class Edition:
    """Delivered files."""

    #: Below the output's address.
    prefix: str
    outputs: tuple[OutputFile, ...]


def deliver(
    request: JobRequest,
    job: Job,
    files: Sequence[Path],
    output: ObjectStore,
    keep_going: Callable[[], None],
) -> Edition:
    """Upload the files, and last the manifest that lists them.

    Raises:
        CorruptObjectError: A file of this name is there and is another.
    """
    outputs = tuple(map(_output, files))
    edition = f"{request.id}/{_digest(outputs)}"
    metadata = _metadata(request, job)

    def upload(path: Path) -> None:
        keep_going()
        _put(path, f"{edition}/{path.name}", metadata, output)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(upload, files):
            pass
    manifest = DeliveryManifest(
        job=request.id,
        tenant=request.tenant,
        title=job.plan.title,
        request=job.request,
        plan_sha256=hashlib.sha256(job.plan.encode()).hexdigest(),
        outputs=outputs,
    )
    with NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(manifest.encode())
        _put(Path(file.name), f"{edition}/{MANIFEST}", metadata, output)
        listed = _output(Path(file.name)).model_copy(update={"name": MANIFEST})
    return Edition(edition, (*outputs, listed))


def links(result: Result, request: JobRequest, output: ObjectStore, expires_s: int) -> list[str]:
    """Return an address for each output, in order, that a browser can open until it expires."""
    assert result.location, "only what was delivered has links"
    edition = result.location.rstrip("/").rpartition("/")[2]
    return [
        output.link(f"{request.id}/{edition}/{file.name}", expires_s) for file in result.outputs
    ]


def _put(path: Path, name: str, metadata: dict[str, str], output: ObjectStore) -> None:
    content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    if output.put_file(name, path, content_type=content_type, metadata=metadata):
        return
    standing = output.stat(name)
    if standing is None or standing.sha256 not in (None, sha256(path)):
        raise CorruptObjectError(
            f"{output.place(name)} is there and is another file. Remove it, and retry the job."
        )


def _digest(outputs: Sequence[OutputFile]) -> str:
    listed = "\n".join(sorted(f"{file.sha256} {file.name}" for file in outputs))
    return hashlib.sha256(listed.encode()).hexdigest()[:EDITION]


def _metadata(request: JobRequest, job: Job) -> dict[str, str]:
    """Return what each object carries; S3 takes ASCII only."""
    voices = "; ".join(origin for _, origin in job.request.voice_origins)
    facts = {
        "voxmill-job": request.id,
        "voxmill-title": job.plan.title,
        "voxmill-voices": voices,
    }
    return {name: quote(value, safe=" ;:,.()=+/@")[:1000] for name, value in facts.items()}


def _output(path: Path) -> OutputFile:
    return OutputFile(name=path.name, size_bytes=path.stat().st_size, sha256=sha256(path))
