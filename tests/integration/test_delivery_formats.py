"""Every format with the real ffmpeg: sound in its place, tags and chapters right, same bytes."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
import soxr
from hibari import Hibari
from mutagen.id3 import ID3

from pipeline.assembly.delivery.encode import encode
from pipeline.assembly.delivery.formats import FORMATS
from pipeline.assembly.delivery.inspection import inspect
from pipeline.assembly.delivery.metadata import Metadata
from pipeline.audio import ffmpeg
from pipeline.audio.clip import Samples
from pipeline.errors import CorruptObjectError, PermanentError, RequestError, StorageError
from pipeline.manifest.script import Cover
from pipeline.manifest.timeline import TimedChapter

#: A length that no codec's frame divides.
N_EXTRA = 123
#: Whose chapters begin where ffmpeg 5.1 would write a second too much into an Opus file.
STARTS_S = (0.0, 1.625, 2.999)
TITLES = ("One = 1; #é \\", "第二章", 'Three & "more"')


def png() -> bytes:
    """A red picture of 8 × 8 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sealed = kind + data
        return struct.pack(">I", len(data)) + sealed + struct.pack(">I", zlib.crc32(sealed))

    rows = b"".join(b"\0" + b"\xc0\x20\x20" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


METADATA = Metadata(
    title="Émile; or, #1 = “Treatise”",
    author="Ä. Author",
    narrator="heart",
    language="en",
    album="The book",
    track=(2, 12),
    year=1887,
    publisher="House",
    description="About\nlamps",
    comment="Synthesized with Voxmill, voice hibari/heart",
    cover=Cover(media_type="image/png", data=png()),
)


def chapters(duration_s: float) -> tuple[TimedChapter, ...]:
    return tuple(
        TimedChapter(title=title, start_s=start_s, end_s=end_s)
        for title, (start_s, end_s) in zip(
            TITLES, itertools.pairwise((*STARTS_S, duration_s)), strict=True
        )
    )


def speech_like(rate: int, channels: int) -> Samples:
    """Two sweeps with silence around them, `[T, C]`: sounds whose place is easy to find."""
    sound = np.zeros(rate * 5 + N_EXTRA, np.float32)
    time = np.arange(rate) / rate
    sweep = 0.4 * np.sin(2 * np.pi * (200 * time + 1200 * time**2)) * np.hanning(rate)
    for at in (rate, 3 * rate):
        sound[at : at + rate] = sweep
    return np.repeat(sound[:, None], channels, axis=1)


def write_master(folder: Path, rate: int = 44_100, channels: int = 1) -> Path:
    path = folder / "master.flac"
    soundfile.write(path, speech_like(rate, channels), rate, subtype="PCM_24")
    return path


def decoded(path: Path) -> tuple[Samples, int]:
    """What a player hears, first channel, without what the container says to skip."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = [
            made.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for made in resampler.resample(frame)
        ]
        return np.concatenate(frames), container.streams.audio[0].codec_context.sample_rate


def shift_ms(heard: Samples, meant: Samples, rate: int) -> float:
    """How much later than meant a sound is heard."""
    n = 1 << (len(heard) + len(meant)).bit_length()
    spectrum = np.fft.rfft(heard, n) * np.conj(np.fft.rfft(meant, n))
    lag = int(np.argmax(np.fft.irfft(spectrum, n)))
    return (lag - n if lag > n // 2 else lag) * 1000 / rate


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [24_000, 44_100])
@pytest.mark.parametrize("format_name", FORMATS)
def test_the_sound_is_where_the_timeline_says(
    tmp_path: Path, format_name: str, rate: int, channels: int
) -> None:
    out = tmp_path / f"book.{format_name}"
    master = write_master(tmp_path, rate, channels)
    encode(master, format_name, out, metadata=METADATA, bitrate_kbps=96)
    heard, heard_rate = decoded(out)
    meant = speech_like(rate, 1)[:, 0]
    if heard_rate != rate:
        meant = soxr.resample(meant, rate, heard_rate)
    assert abs(shift_ms(heard, meant, heard_rate)) <= 2.0
    assert inspect(out).channels == channels
    allowed_s = FORMATS[format_name].frame / rate
    assert inspect(out).duration_s == pytest.approx(5 + N_EXTRA / rate, abs=allowed_s)
    level_db = 20 * np.log10(np.std(heard[: len(meant)]) / np.std(meant))
    assert abs(level_db) < 0.5


@pytest.fixture(scope="module")
def speech() -> Samples:
    """A real sentence at 24 kHz."""
    text = "The keeper climbed the tower, and found that the lamp was already burning."
    return np.asarray(Hibari(threads=1)(text, seed=1), np.float32)


@pytest.mark.parametrize("format_name", FORMATS)
def test_speech_stays_in_place_at_the_usual_bit_rate(
    tmp_path: Path, format_name: str, speech: Samples
) -> None:
    master, out = tmp_path / "master.flac", tmp_path / f"book.{format_name}"
    soundfile.write(master, speech, 24_000, subtype="PCM_24")
    encode(master, format_name, out, metadata=METADATA)
    heard, rate = decoded(out)
    assert abs(shift_ms(heard, soxr.resample(speech, 24_000, rate), rate)) <= 0.1


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_master_gives_the_same_bytes(tmp_path: Path, format_name: str) -> None:
    master = write_master(tmp_path)
    made = []
    for name in ("one", "two"):
        out = tmp_path / f"{name}.{format_name}"
        encode(master, format_name, out, metadata=METADATA, chapters=chapters(5))
        made.append(out.read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("format_name", ["m4b", "mp3", "flac", "opus"])
def test_chapters_are_right_to_the_millisecond(tmp_path: Path, format_name: str) -> None:
    out = tmp_path / f"book.{format_name}"
    encode(write_master(tmp_path), format_name, out, metadata=METADATA, chapters=chapters(5.003))
    found = inspect(out).chapters
    assert tuple(chapter.title.strip() for chapter in found) == TITLES
    starts = [chapter.start_s for chapter in found]
    assert starts == pytest.approx(STARTS_S, abs=0.0006)


@pytest.mark.parametrize("format_name", FORMATS)
def test_tags_come_back_as_they_were_given(tmp_path: Path, format_name: str) -> None:
    out = tmp_path / f"book.{format_name}"
    encode(write_master(tmp_path), format_name, out, metadata=METADATA, chapters=chapters(5))
    made = inspect(out)
    wanted = {
        "title": METADATA.title,
        "author": METADATA.author,
        "album": "The book",
        "genre": "Audiobook",
        "year": "1887",
        "comment": METADATA.comment,
    }
    assert {key: made.tags.get(key) for key in wanted} == wanted
    assert made.tags["track"].split("/")[0] == "2"
    if format_name != "wav":
        assert made.tags["narrator"] == "heart"
        assert made.has_cover


def test_an_mp3_has_a_table_of_contents_and_chapters_in_order(tmp_path: Path) -> None:
    out = tmp_path / "book.mp3"
    encode(write_master(tmp_path), "mp3", out, metadata=METADATA, chapters=chapters(5))
    tags = ID3(out)
    assert tags.version == (2, 3, 0)
    assert [chap.element_id for chap in tags.getall("CHAP")] == ["ch0", "ch1", "ch2"]
    assert tags.getall("CTOC")[0].child_element_ids == ["ch0", "ch1", "ch2"]
    data = out.read_bytes()
    assert data.index(b"ch0\0") < data.index(b"ch1\0") < data.rindex(b"ch2\0")


def test_an_mp3_keeps_its_bit_rate_constant(tmp_path: Path) -> None:
    out = tmp_path / "book.mp3"
    encode(write_master(tmp_path), "mp3", out, metadata=METADATA, bitrate_kbps=192)
    info = mutagen.File(out).info
    with av.open(str(out)) as container:
        sizes = {packet.size for packet in container.demux(audio=0) if packet.size}
    assert info.bitrate == 192_000
    # A frame of 626.9 bytes is 626 or 627 long.
    assert sizes <= {626, 627}


def test_an_m4b_starts_with_its_index_and_says_that_it_is_a_book(tmp_path: Path) -> None:
    out = tmp_path / "book.m4b"
    encode(write_master(tmp_path), "m4b", out, metadata=METADATA, chapters=chapters(5))
    data = out.read_bytes()
    assert data[4:12] == b"ftypM4B "
    assert data.index(b"moov") < data.index(b"mdat")
    assert mutagen.File(out)["stik"] == [2]


def test_a_book_may_have_more_chapters_than_a_byte_counts(tmp_path: Path) -> None:
    edges = np.linspace(0, 5, 301).tolist()
    many = [
        TimedChapter(title=f"Chapter {number}", start_s=start_s, end_s=end_s)
        for number, (start_s, end_s) in enumerate(itertools.pairwise(edges), start=1)
    ]
    master = write_master(tmp_path)
    for format_name in ("m4b", "mp3", "opus"):
        out = tmp_path / f"book.{format_name}"
        encode(master, format_name, out, metadata=METADATA, chapters=many)
        assert [c.title for c in inspect(out).chapters] == [c.title for c in many], format_name


def test_a_wav_above_four_gigabytes_would_be_rf64(tmp_path: Path) -> None:
    # The header is chosen by size; writing 4 GB is no test, so the other choice is forced.
    arguments = list(FORMATS["wav"].arguments)
    assert arguments[arguments.index("-rf64") + 1] == "auto"
    arguments[arguments.index("-rf64") + 1] = "always"
    out = tmp_path / "large.wav"
    ffmpeg.run(["-i", write_master(tmp_path), *arguments, out])
    assert out.read_bytes()[:4] == b"RF64"
    assert soundfile.info(out).frames == 5 * 44_100 + N_EXTRA


def test_a_small_wav_is_plain_riff(tmp_path: Path) -> None:
    out = tmp_path / "book.wav"
    encode(write_master(tmp_path), "wav", out, metadata=METADATA)
    assert out.read_bytes()[:4] == b"RIFF"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="'aiff'"):
        encode(write_master(tmp_path), "aiff", tmp_path / "book.aiff", metadata=METADATA)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    master, out = write_master(tmp_path), tmp_path / "out" / "book.m4b"

    def full(arguments: list[str | Path]) -> str:
        Path(arguments[-1]).write_bytes(b"half")
        raise ffmpeg.failure("av_interleaved_write_frame(): No space left on device")

    monkeypatch.setattr(ffmpeg, "run", full)
    with pytest.raises(StorageError, match=r"book\.m4b cannot be written.*No space left"):
        encode(master, "m4b", out, metadata=METADATA)
    assert list(out.parent.iterdir()) == []


def test_a_file_shorter_than_its_master_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, out, run = write_master(tmp_path), tmp_path / "out" / "book.flac", ffmpeg.run

    def cut(arguments: list[str | Path]) -> str:
        return run([*arguments[:-1], "-t", "4", arguments[-1]])

    monkeypatch.setattr(ffmpeg, "run", cut)
    with pytest.raises(PermanentError, match=r"4\.000 s long, but its master has 5\.003 s"):
        encode(master, "flac", out, metadata=METADATA)
    assert list(out.parent.iterdir()) == []


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.mp3"
    path.write_bytes(b"not audio")
    with pytest.raises(CorruptObjectError, match=r"book\.mp3"):
        inspect(path)


@pytest.mark.parametrize("rate", [24_000, 44_100])
@pytest.mark.parametrize("kbps", [96, 128, 192, 224, 256])
def test_an_mp3_is_as_loud_as_its_master(
    tmp_path: Path, rate: int, kbps: int, speech: Samples
) -> None:
    master, out = tmp_path / "master.flac", tmp_path / "book.mp3"
    meant = 0.4 * soxr.resample(speech, 24_000, rate)
    soundfile.write(master, meant, rate, subtype="PCM_24")
    encode(master, "mp3", out, metadata=METADATA, bitrate_kbps=kbps)
    heard = decoded(out)[0][: len(meant)]
    gain = float(heard @ meant[: len(heard)] / (meant @ meant))
    assert 20 * np.log10(gain) == pytest.approx(0.0, abs=0.06)
