"""Master → finished file: encoded, tagged, and put in place whole."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import soundfile

from pipeline.assembly.delivery import ffmetadata, id3, vorbis
from pipeline.assembly.delivery.formats import FORMATS, AudioFormat, level_gain
from pipeline.assembly.delivery.inspection import inspect
from pipeline.assembly.delivery.metadata import Metadata
from pipeline.assembly.delivery.replacing import replacing
from pipeline.audio import ffmpeg
from pipeline.errors import PermanentError, RequestError, StorageError
from pipeline.manifest.timeline import TimedChapter

#: No time stamps, versions or random numbers: the same master gives the same bytes.
SAME_BYTES = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")
COVER_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


def encode(
    master: Path,
    format_name: str,
    out: Path,
    *,
    metadata: Metadata,
    chapters: Sequence[TimedChapter] = (),
    bitrate_kbps: int | None = None,
    gain_db: float = 0.0,
) -> None:
    """Encode a lossless master, at its own rate and with its own channels.

    Args:
        master: FLAC, W64, RF64 or WAV.
        format_name: One of `FORMATS`.
        out: The finished file; it appears whole, or stays as it was.
        metadata: Its tags and cover.
        chapters: They touch and cover the file. WAV has no place for them.
        bitrate_kbps: For lossy formats, instead of the format's own.
        gain_db: For lossy formats: makes up for level that the encoder takes from this master.

    Raises:
        RequestError: The format is unknown.
        StorageError: The disk is full or the folder cannot be written.
        PermanentError: ffmpeg failed, or the file is not as long as the master.
    """
    if format_name not in FORMATS:
        raise RequestError(f"No format {format_name!r}. Choose any of: {', '.join(FORMATS)}.")
    audio = FORMATS[format_name]
    with replacing(out) as temporary, tempfile.TemporaryDirectory() as folder:
        sources = _sources(audio, Path(folder), metadata, chapters)
        bitrate = _bitrate(audio, bitrate_kbps)
        gain = _gain(audio, bitrate_kbps, master, gain_db)
        arguments = (*bitrate, *gain, *audio.arguments, *SAME_BYTES)
        _run(["-i", master, *sources, *arguments, temporary], out)
        _tag(audio, temporary, metadata, chapters)
        _require_length(audio, master, temporary, out)


def _run(arguments: Sequence[str | Path], out: Path) -> None:
    try:
        ffmpeg.run(arguments)
    except StorageError as error:
        raise StorageError(
            f"{out} cannot be written. Free some space, or choose another folder with --out, and "
            f"run the same command again: finished chunks are kept. ({error})"
        ) from error


def _bitrate(audio: AudioFormat, bitrate_kbps: int | None) -> Sequence[str]:
    if audio.bitrate_kbps is None:
        return ()
    return ("-b:a", f"{bitrate_kbps or audio.bitrate_kbps}k")


def _gain(
    audio: AudioFormat, bitrate_kbps: int | None, master: Path, gain_db: float
) -> Sequence[str]:
    if audio.bitrate_kbps is None:
        return ()
    factor = level_gain(audio.name, bitrate_kbps, soundfile.info(master).samplerate)
    factor *= 10 ** (gain_db / 20)
    return () if factor == 1.0 else ("-af", f"volume={factor:.8f}:precision=float")


def _sources(
    audio: AudioFormat, folder: Path, metadata: Metadata, chapters: Sequence[TimedChapter]
) -> Sequence[str | Path]:
    """Return the arguments that bring in what ffmpeg itself is to write besides the audio."""
    if audio.name not in ("m4b", "wav"):
        return ("-map", "0:a", "-map_metadata", "-1", "-map_chapters", "-1")
    is_m4b = audio.name == "m4b"
    tags = ffmetadata.mp4_tags(metadata) if is_m4b else ffmetadata.wav_tags(metadata)
    text = folder / "tags.txt"
    text.write_text(ffmetadata.document(tags, chapters if is_m4b else ()), encoding="utf-8")
    inputs: list[str | Path] = ["-f", "ffmetadata", "-i", text]
    outputs: list[str | Path] = ["-map", "0:a", "-map_metadata", "1", "-map_chapters", "1"]
    if is_m4b:
        outputs += ["-metadata:s:a:0", f"language={metadata.language_code}"]
    if is_m4b and metadata.cover:
        picture = folder / f"cover{COVER_SUFFIXES[metadata.cover.media_type]}"
        picture.write_bytes(metadata.cover.data)
        inputs += ["-i", picture]
        outputs += ["-map", "2:v", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    return (*inputs, *outputs)


def _tag(
    audio: AudioFormat, path: Path, metadata: Metadata, chapters: Sequence[TimedChapter]
) -> None:
    writers = {"mp3": id3.write, "flac": vorbis.write_flac, "opus": vorbis.write_opus}
    if audio.name in writers:
        writers[audio.name](path, metadata, chapters)


def _require_length(audio: AudioFormat, master: Path, path: Path, out: Path) -> None:
    """Make sure that nothing is missing at the end, where subtitles would show it."""
    source = soundfile.info(master)
    made_s, allowed_s = inspect(path).duration_s, audio.frame / source.samplerate
    if abs(made_s - source.frames / source.samplerate) > allowed_s:
        raise PermanentError(
            f"{out}: {made_s:.3f} s long, but its master has "
            f"{source.frames / source.samplerate:.3f} s. Try another ffmpeg (voxmill doctor)."
        )
