"""Finished files against their receipt and their source: nothing is believed, all is read again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import names
from pipeline.assembly import profiles
from pipeline.assembly.delivery.inspection import inspect
from pipeline.assembly.measure import measure
from pipeline.audio.clip import Samples
from pipeline.checking.coverage import coverage
from pipeline.errors import CorruptObjectError, InputError, PermanentError
from pipeline.manifest.report import Report, ReportChapter, ReportFile, ReportPart
from pipeline.manifest.result import Result
from pipeline.manifest.timeline import TimedChapter
from pipeline.models import mel, windows
from pipeline.models.whisper import Whisper
from pipeline.run.digests import sha256
from pipeline.run.prepare import require_profile
from pipeline.run.receipt import REPORT
from pipeline.run.render import STATE_FOLDER
from pipeline.store.local import LocalStore

#: A sentence counts as heard when this share of its words is; Whisper mishears names.
HEARD_SHARE = 0.5
#: A file or a chapter may begin or end this far from where the receipt says.
TOLERANCE_S = 0.1
#: Formats that hold no chapters.
WITHOUT_CHAPTERS = ("wav",)
CHANGED = "changed since it was made (checksum differs)"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying one book found."""

    folder: Path
    title: str
    n_sentences: int
    n_words: int
    n_word_errors: int
    problems: tuple[Problem, ...]

    @property
    def word_error_rate(self) -> float:
        """Word errors of an independent transcript of the finished file."""
        return self.n_word_errors / max(1, self.n_words)


#: Told the share that is done, 0 … 1, and of what.
Progress = Callable[[float, str], None]


def verify(folder: Path, whisper: Whisper, progress: Progress) -> list[Verified]:
    """Verify every book below a folder.

    Raises:
        InputError: There is no finished book in it.
    """
    reports = sorted(
        path for path in folder.rglob(REPORT) if STATE_FOLDER not in path.relative_to(folder).parts
    )
    if not reports:
        raise InputError(
            folder,
            f"there is no finished book in it (no {REPORT}).",
            remedy="Give the folder that `voxmill render --out` wrote.",
        )
    return [_verified(path, whisper, progress) for path in reports]


def _verified(path: Path, whisper: Whisper, progress: Progress) -> Verified:
    try:
        return _Book(path, whisper, progress).verify()
    except CorruptObjectError as error:
        problem = Problem(REPORT, f"cannot be read: {error}")
        return Verified(path.parent, path.parent.name, 0, 0, 0, (problem,))


class _Book:
    """One finished book."""

    def __init__(self, path: Path, whisper: Whisper, progress: Progress) -> None:
        self._folder = path.parent
        self._report = Report.decode(path.read_bytes())
        self._whisper, self._progress = whisper, progress
        self._changed: set[str] = set()
        self._playable: set[str] = set()
        self._n_words = self._n_errors = 0

    def verify(self) -> Verified:
        report = self._report
        problems = [*self._receipt_problems(), *self._other_file_problems()]
        for number, part in enumerate(report.parts):
            for file in part.files:
                problems += self._file_problems(number, file)
            for file in self._worth_hearing(part):
                problems += self._speech_problems(number, part, file)
        return Verified(
            folder=self._folder,
            title=report.title,
            n_sentences=len(report.sentences),
            n_words=self._n_words,
            n_word_errors=self._n_errors,
            problems=tuple(problems),
        )

    def _receipt_problems(self) -> Iterator[Problem]:
        for sentence in self._report.sentences:
            if not sentence.is_covered:
                yield Problem(REPORT, f"no audio for {sentence.text!r}")
        for chunk in self._report.flagged:
            yield Problem(REPORT, f"flagged when it was made: {chunk.text!r}")

    def _other_file_problems(self) -> Iterator[Problem]:
        """Check what the receipt does not list, such as subtitles, by the result of the job."""
        listed = {file.name for part in self._report.parts for file in part.files}
        for name, digest in self._delivered().items():
            if name in listed:
                continue
            if not (self._folder / name).is_file():
                yield Problem(name, "missing")
            elif sha256(self._folder / name) != digest:
                yield Problem(name, CHANGED)

    def _delivered(self) -> dict[str, str]:
        """Return the digests of all files of the book; none where the folder was moved away."""
        for out in self._folder.parents:
            data = LocalStore(out / STATE_FOLDER).get(names.result(self._report.job))
            if data:
                made = {out / file.name: file.sha256 for file in Result.decode(data).outputs}
                return {
                    path.relative_to(self._folder).as_posix(): digest
                    for path, digest in made.items()
                    if path.is_relative_to(self._folder)
                }
        return {}

    def _file_problems(self, number: int, file: ReportFile) -> Iterator[Problem]:
        """Check a file's bytes, levels, length and chapters."""
        path = self._folder / file.name
        if not path.is_file():
            yield Problem(file.name, "missing")
            return
        self._progress(0.0, file.name)
        if sha256(path) != file.sha256:
            self._changed.add(file.name)
            yield Problem(file.name, CHANGED)
        try:
            measured, inspected = measure(path), inspect(path)
        except (PermanentError, ValueError) as error:
            yield Problem(file.name, f"cannot be played: {error}")
            return
        self._playable.add(file.name)
        profile = require_profile(self._report.profile)
        for text in profiles.check(measured, profile, file.format):
            yield Problem(file.name, text)
        if abs(inspected.duration_s - file.duration_s) > TOLERANCE_S:
            text = f"{inspected.duration_s:.2f} s long instead of {file.duration_s:.2f} s"
            yield Problem(file.name, text)
        for text in self._chapter_problems(number, file, inspected.chapters):
            yield Problem(file.name, text)

    def _chapter_problems(
        self, number: int, file: ReportFile, found: Sequence[TimedChapter]
    ) -> Iterator[str]:
        wanted = [chapter for chapter in self._report.chapters if chapter.part == number]
        if file.format in WITHOUT_CHAPTERS or (len(wanted) == 1 and not found):
            return
        if len(found) != len(wanted):
            yield f"{len(found)} chapters instead of {len(wanted)}"
            return
        for chapter, want in zip(found, wanted, strict=True):
            if chapter.title.split() != want.title.split():
                yield f"chapter {chapter.title!r} at {chapter.start_s:.1f} s must be {want.title!r}"
            elif abs(chapter.start_s - want.start_s) > TOLERANCE_S:
                yield (
                    f"chapter {want.title!r} begins at {chapter.start_s:.2f} s instead of "
                    f"{want.start_s:.2f} s"
                )

    def _worth_hearing(self, part: ReportPart) -> list[ReportFile]:
        """Return the files to listen to: each that was changed, else one for all formats."""
        playable = [file for file in part.files if file.name in self._playable]
        return [file for file in playable if file.name in self._changed] or playable[:1]

    def _speech_problems(self, number: int, part: ReportPart, file: ReportFile) -> list[Problem]:
        """Transcribe a file chapter by chapter and look for every sentence."""
        problems: list[Problem] = []
        chapters = [
            (index, chapter)
            for index, chapter in enumerate(self._report.chapters)
            if chapter.part == number
        ]
        audio = _Audio(self._folder / file.name)
        for index, chapter in chapters:
            heard = self._heard(audio, chapter, part.duration_s, file.name)
            problems += self._missing(index, heard, file.name)
        return problems

    def _heard(self, audio: _Audio, chapter: ReportChapter, duration_s: float, name: str) -> str:
        blocks = audio.until(chapter.end_s)
        texts = []
        for stretch in self._whisper.transcribe_blocks(blocks, self._report.language):
            texts.append(stretch.text)
            self._progress((chapter.start_s + stretch.end_s) / max(duration_s, 1e-9), name)
        return " ".join(texts)

    def _missing(self, chapter: int, heard: str, name: str) -> Iterator[Problem]:
        sentences = [s for s in self._report.sentences if s.chapter == chapter]
        found = coverage([s.text for s in sentences], heard, self._report.language)
        self._n_words += found.n_words
        self._n_errors += found.n_errors
        for sentence, share in zip(sentences, found.heard, strict=True):
            if share < HEARD_SHARE:
                at = f" at {sentence.start_s:.1f} s" if sentence.start_s is not None else ""
                yield Problem(name, f"not heard{at}: {sentence.text!r}")


class _Audio:
    """A finished file as one stream of 16 kHz blocks, handed out chapter by chapter."""

    def __init__(self, path: Path) -> None:
        self._blocks: Iterator[Samples] = windows.blocks(path)
        self._rest: Sequence[Samples] = ()
        self._n_done = 0

    def until(self, end_s: float) -> Iterator[Samples]:
        """Yield what comes next, up to `end_s` from the start of the file."""
        end = round(end_s * mel.SAMPLE_RATE_HZ)
        for block in itertools.chain(self._rest, self._blocks):
            self._rest = ()
            n_wanted = end - self._n_done
            if len(block) > n_wanted:
                self._rest = (block[n_wanted:],)
                block = block[:n_wanted]  # noqa: PLW2901 - the part of it that is wanted
            self._n_done += len(block)
            if len(block):
                yield block
            if self._rest:
                return
