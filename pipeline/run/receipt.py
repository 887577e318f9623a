"""The completeness receipt of a finished job: report.json, report.html, the cover beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import names
from pipeline.assembly.delivery.replacing import write_bytes
from pipeline.assembly.report import build, page
from pipeline.manifest.marks import Marks
from pipeline.manifest.report import Report, ReportFile
from pipeline.run.digests import sha256
from pipeline.run.parts import MadeFile, MadePart
from pipeline.run.prepare import Job
from pipeline.store.protocol import ObjectStore

REPORT = "report.json"
#: Name of the cover beside the book, which audiobook servers look for.
COVERS = {"image/jpeg": "cover.jpg", "image/png": "cover.png"}
#: Flagged chunks that can be heard in the report; the page must open even when all went wrong.
MAX_CLIPS = 200


def write(
    job: Job,
    marks: Mapping[int, Marks],
    store: ObjectStore,
    folder: Path,
    made: Sequence[MadePart],
) -> list[Path]:
    """Write the receipt and return its files."""
    parts = [
        build.RenderedPart(part.timeline, part.placements, tuple(map(_file, part.files)))
        for part in made
    ]
    report = build.build(
        job=job.id,
        request=job.request,
        plan=job.plan,
        marks=marks,
        parts=parts,
        notes=job.notes,
    )
    clips = _clips(report, store)
    waveforms = [waveform for part in made for waveform in part.waveforms]
    written = [page.write(report, folder, waveforms=waveforms, clips=clips)]
    written += [folder / page.clip_name(chunk) for chunk in clips]
    write_bytes(folder / REPORT, report.encode())
    return [*written, folder / REPORT, *_cover(job, folder)]


def _file(made: MadeFile) -> ReportFile:
    measured = made.measurement
    return ReportFile(
        name=made.path.name,
        format=made.format,
        size_bytes=made.path.stat().st_size,
        sha256=sha256(made.path),
        duration_s=measured.duration_s,
        integrated_lufs=_rounded(measured.integrated_lufs),
        true_peak_dbtp=_rounded(measured.true_peak_db),
        rms_db=_rounded(measured.rms_db),
        noise_floor_db=_rounded(measured.noise_floor_db),
    )


def _rounded(level: float | None) -> float | None:
    return None if level is None else round(level, 2)


def _clips(report: Report, store: ObjectStore) -> dict[int, bytes]:
    found = {}
    for chunk in report.flagged[:MAX_CLIPS]:
        audio = store.get(names.audio(chunk.key))
        if audio is not None:
            found[chunk.index] = audio
    return found


def _cover(job: Job, folder: Path) -> list[Path]:
    cover = job.cover
    if cover is None:
        return []
    path = folder / COVERS[cover.media_type]
    write_bytes(path, cover.data)
    return [path]
