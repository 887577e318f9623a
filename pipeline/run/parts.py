"""The finished audio files: the whole book in one, or one a chapter, in each format."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import metadata as packages
from pathlib import Path

from pipeline.assembly import placement, profiles, stitch, timing
from pipeline.assembly.delivery import layout
from pipeline.assembly.delivery.encode import encode
from pipeline.assembly.delivery.metadata import Metadata
from pipeline.assembly.mastering import master
from pipeline.assembly.measure import Measurement, measure
from pipeline.assembly.placement import Placements
from pipeline.assembly.report.waveform import Waveform, waveforms
from pipeline.assembly.subtitles import files as subtitles
from pipeline.errors import ProfileError
from pipeline.manifest.marks import Marks
from pipeline.manifest.timeline import Timeline
from pipeline.run.events import Step, Tell
from pipeline.run.prepare import Job
from pipeline.run.takes import load_audio
from pipeline.store.protocol import ObjectStore

#: Files in work at once: each master and encoder is one busy process or thread.
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the book that becomes a file in each format."""

    title: str
    #: Final path without suffix.
    stem: Path
    #: Indices of its chapters.
    chapters: range
    #: Its number and how many there are; None for the only one.
    track: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A finished audio file."""

    path: Path
    format: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class MadePart:
    """A part with everything made of it."""

    part: Part
    placements: Placements
    timeline: Timeline
    files: tuple[MadeFile, ...]
    subtitles: tuple[Path, ...]
    #: One a chapter.
    waveforms: tuple[Waveform, ...]

    @property
    def paths(self) -> list[Path]:
        """All its files."""
        return [*(file.path for file in self.files), *self.subtitles]


def plan_parts(job: Job, folder: Path) -> list[Part]:
    """Return the parts of the book as the profile wants them."""
    chapters = job.plan.chapters
    if not job.profile.is_per_chapter:
        stem = folder / layout.safe_name(job.plan.title)
        return [Part(job.plan.title, stem, range(len(chapters)), None)]
    titles = [chapter.title for chapter in chapters]
    return [
        Part(title, folder / name, range(i, i + 1), (i + 1, len(chapters)))
        for i, (title, name) in enumerate(zip(titles, layout.chapter_names(titles), strict=True))
        if chapters[i].n_chunks
    ]


def make(
    job: Job,
    marks: Mapping[int, Marks],
    store: ObjectStore,
    folder: Path,
    workshop: Path,
    tell: Tell,
) -> list[MadePart]:
    """Make the files of every part, a few at a time.

    Raises:
        ProfileError: A file does not meet the profile.
    """
    maker = _Maker(job, marks, store, workshop, tell)
    workshop.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(maker.make, plan_parts(job, folder)))


@dataclass(frozen=True, slots=True)
class _Maker:
    job: Job
    marks: Mapping[int, Marks]
    store: ObjectStore
    workshop: Path
    tell: Tell

    def make(self, part: Part) -> MadePart:
        job = self.job
        placed = placement.place(job.plan, self.marks, job.profile, part.chapters)
        timeline = timing.timeline(job.plan, self.marks, placed)
        path = self.workshop / f"{part.stem.name}.master.flac"
        self.tell(Step("mastering", 0.0, part.title))
        master(
            lambda: stitch.blocks(placed, lambda i: load_audio(self.marks[i], self.store)),
            placed.sample_rate_hz,
            job.profile,
            path,
            lambda share: self.tell(Step("mastering", share, part.title)),
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            deliver = partial(self._deliver, part, timeline, path)
            files = tuple(pool.map(deliver, job.request.formats))
        pictures = waveforms(path, timeline.chapters)
        path.unlink()
        written = subtitles.write(timeline, job.request.subtitles, part.stem)
        return MadePart(part, placed, timeline, files, tuple(written), pictures)

    def _deliver(self, part: Part, timeline: Timeline, path: Path, name: str) -> MadeFile:
        """Encode a master, measure the result, and put it in place if it meets the profile."""
        self.tell(Step("encoding", 0.0, f"{part.title} ({name})"))
        made = self.workshop / f"{part.stem.name}.{name}"
        measured = self._encode(part, timeline, path, made, name)
        problems = profiles.check(measured, self.job.profile, name)
        if problems:
            raise ProfileError(
                f"{part.stem.name}.{name} does not meet the profile {self.job.profile.name!r}: "
                f"{'; '.join(problems)}. Nothing was delivered; try --profile raw to hear it."
            )
        target = part.stem.with_name(f"{part.stem.name}.{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
        self.tell(Step("encoding", 1.0, f"{part.title} ({name})"))
        return MadeFile(target, name, measured)

    def _encode(
        self, part: Part, timeline: Timeline, path: Path, made: Path, name: str
    ) -> Measurement:
        """Encode a master; once more when the encoder has moved the level too far."""
        profile = self.job.profile

        def attempt(gain_db: float) -> Measurement:
            encode(
                path,
                name,
                made,
                metadata=tags(self.job, part),
                chapters=timeline.chapters,
                bitrate_kbps=profile.bitrates_kbps.get(name),
                gain_db=gain_db,
            )
            return measure(made)

        measured = attempt(0.0)
        miss_db = profiles.miss_db(measured, profile)
        is_near = profile.level is None or abs(miss_db) <= profile.level.tolerance_db / 2
        return measured if is_near else attempt(miss_db)


def tags(job: Job, part: Part) -> Metadata:
    """Return the tags of a part's files."""
    voices = [voice for voice, _ in job.request.voice_revisions]
    voxmill = packages.version("voxmill")
    return Metadata(
        title=part.title,
        author=job.plan.author,
        narrator=", ".join(voices),
        language=job.plan.language,
        album=job.plan.title,
        track=part.track,
        comment=f"Synthesized with Voxmill {voxmill}, "
        + ", ".join(f"voice {origin}" for _, origin in job.request.voice_origins),
        cover=job.cover,
    )
