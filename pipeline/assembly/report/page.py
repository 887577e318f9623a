"""The receipt as a page that opens from a folder, with no network and nothing else to load."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from pipeline.assembly.delivery.replacing import write_bytes, write_text
from pipeline.assembly.report import cards, tables
from pipeline.assembly.report.waveform import Waveform
from pipeline.manifest.report import Report

PAGE_NAME = "report.html"
CLIPS_FOLDER = "report_files"
#: A browser plays the first of these that there is.
PLAYABLE = ("mp3", "m4b", "flac", "wav", "opus")


def write(
    report: Report,
    folder: Path,
    *,
    waveforms: Sequence[Waveform],
    clips: Mapping[int, bytes],
) -> Path:
    """Write `report.html`, and beside it the audio of the flagged chunks.

    Args:
        report: The receipt.
        folder: Where the finished files lie; links are relative to it.
        waveforms: One for each of the receipt's chapters.
        clips: FLAC audio of flagged chunks, by chunk index.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    _write_clips(folder / CLIPS_FOLDER, clips)
    page = folder / PAGE_NAME
    write_text(page, "".join(_page(report, waveforms, clips.keys())))
    return page


def clip_name(chunk: int) -> str:
    """Return the path of a flagged chunk's audio, below the folder of the page."""
    return f"{CLIPS_FOLDER}/chunk-{chunk:06}.flac"


def _write_clips(folder: Path, clips: Mapping[int, bytes]) -> None:
    for chunk, data in clips.items():
        write_bytes(folder.parent / clip_name(chunk), data)
    if not folder.is_dir():
        return
    # Chunks that an earlier render flagged and this one did not.
    wanted = {Path(clip_name(chunk)).name for chunk in clips}
    for path in folder.glob("chunk-*.flac"):
        if path.name not in wanted:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _page(report: Report, waveforms: Sequence[Waveform], clipped: Container[int]) -> Iterator[str]:
    title = escape(report.title)
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: report'
    yield '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_resource('page.css')}</style></head><body{_sources(report)}>"
    yield f"<h1>{title}</h1>"
    yield f'<p class="by">{escape(report.author or "Author unknown")}</p>'
    yield from cards.summary(report)
    yield from tables.files(report)
    yield from cards.chapters(report, waveforms)
    yield from cards.flagged(report, clip_name, clipped)
    yield from tables.sentences(report)
    yield '<audio id="player" controls preload="none" hidden></audio>'
    yield f"<script>{_resource('page.js')}</script></body></html>\n"


def _sources(report: Report) -> str:
    """Return the attributes that tell the script which file to play for each part."""
    made = ""
    for number, part in enumerate(report.parts):
        by_format = {file.format: file.name for file in part.files}
        name = next((by_format[name] for name in PLAYABLE if name in by_format), None)
        if name:
            made += f' data-file{number}="{escape(quote(name))}"'
    return made


def _resource(name: str) -> str:
    return resources.files("pipeline.assembly.report").joinpath(name).read_text(encoding="utf-8")
