"""Every profile end to end, measured by ffmpeg's own filters and read by mutagen: not by us."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import mutagen
import numpy as np
import pypandoc
import pytest
import soundfile
from conftest import BOOK, Ran
from mutagen.id3 import ID3
from mutagen.mp3 import BitrateMode

from pipeline.audio import ffmpeg

Voxmill = Callable[..., Ran]

TITLES = ("The First Part", "The Second Part")
FORMATS = ("m4b", "mp3", "flac", "wav", "opus")


@dataclass(frozen=True)
class Levels:
    """What ffmpeg's `ebur128` and `astats` say of a file."""

    lufs: float
    true_peak_db: float
    peak_db: float
    rms_db: float


def levels(path: Path) -> Levels:
    filters = "ebur128=peak=true:framelog=quiet,astats=measure_perchannel=none"
    log = ffmpeg.run(["-i", path, "-map", "0:a", "-af", filters, "-f", "null", "-"])

    def figure(pattern: str) -> float:
        return float(re.findall(pattern, log)[-1])

    return Levels(
        lufs=figure(r"I:\s+(-?[\d.]+) LUFS"),
        true_peak_db=figure(r"Peak:\s+(-?[\d.]+) dBFS"),
        peak_db=figure(r"Peak level dB: (-?[\d.]+)"),
        rms_db=figure(r"RMS level dB: (-?[\d.]+)"),
    )


def silences(path: Path) -> list[tuple[float, float]]:
    """Where ffmpeg's `silencedetect` finds 0.3 s below -50 dB: (start, end) in seconds."""
    log = ffmpeg.run(
        ["-i", path, "-map", "0:a", "-af", "silencedetect=-50dB:0.3", "-f", "null", "-"]
    )
    starts = [float(text) for text in re.findall(r"silence_start: (-?[\d.]+)", log)]
    ends = [float(text) for text in re.findall(r"silence_end: (-?[\d.]+)", log)]
    return list(zip(starts, ends, strict=True))


def samples(path: Path) -> np.ndarray:
    """The decoded file, first channel, at 44.1 kHz."""
    command = ffmpeg.command(
        "-i", path, "-map", "0:a", "-ac", "1", "-ar", "44100", "-f", "f32le", "-"
    )
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.float32)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book as an EPUB with a cover."""
    folder = tmp_path_factory.mktemp("source")
    cover = folder / "cover.png"
    ffmpeg.run(["-f", "lavfi", "-i", "color=navy:s=60x80", "-frames:v", "1", cover])
    book = folder / "small.epub"
    pypandoc.convert_text(
        BOOK, "epub", "markdown", outputfile=str(book), extra_args=[f"--epub-cover-image={cover}"]
    )
    return book


@pytest.fixture(scope="module")
def spoken(voxmill: Voxmill, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All five formats of the default profile, and the chunks every other profile starts from."""
    out = tmp_path_factory.mktemp("spoken")
    ran = voxmill("render", source, "--out", out, "--formats", ",".join(FORMATS))
    assert ran.code == 0, ran.stderr
    return out


@pytest.fixture
def render(voxmill: Voxmill, source: Path, spoken: Path, tmp_path: Path) -> Callable[..., Path]:
    """Render the book in a profile without speaking it again; returns the book's folder."""

    def run(*arguments: object) -> Path:
        out = tmp_path / "out"
        shutil.copytree(spoken / ".voxmill" / "chunks", out / ".voxmill" / "chunks")
        ran = voxmill("render", source, "--out", out, *arguments)
        assert ran.code == 0, ran.stderr
        return out / "A. Writer" / "The Small Book"

    return run


def names(folder: Path, suffix: str) -> list[str]:
    return sorted(path.name for path in folder.glob(f"*.{suffix}"))


def test_an_audiobook_is_loud_and_safe_in_every_format(spoken: Path) -> None:
    folder = spoken / "A. Writer" / "The Small Book"
    for name in FORMATS:
        measured = levels(folder / f"The Small Book.{name}")
        assert measured.lufs == pytest.approx(-18.0, abs=0.55), name
        assert measured.true_peak_db <= -1.5, name


def test_an_audiobook_is_one_m4b_when_no_format_is_named(render: Callable[..., Path]) -> None:
    folder = render()
    assert names(folder, "m4b") == ["The Small Book.m4b"]
    assert not any(names(folder, other) for other in FORMATS[1:])
    assert (folder / "cover.png").is_file()


@pytest.mark.parametrize("name", ["m4b", "mp3", "flac", "opus"])
def test_chapters_are_where_the_headings_are_spoken(spoken: Path, name: str) -> None:
    path = spoken / "A. Writer" / "The Small Book" / f"The Small Book.{name}"
    with av.open(str(path)) as container:
        chapters = container.chapters()
    assert tuple(chapter["metadata"]["title"].strip() for chapter in chapters) == TITLES
    second = chapters[1]
    start_s = float(second["start"] * second["time_base"])
    quiet = [span for span in silences(path) if span[0] < start_s < span[1]]
    assert quiet, "a chapter begins inside speech"
    assert quiet[0][1] - start_s < 0.8


@pytest.mark.parametrize("name", ["m4b", "mp3", "flac", "opus"])
def test_a_player_sees_title_author_narrator_and_cover(spoken: Path, name: str) -> None:
    path = spoken / "A. Writer" / "The Small Book" / f"The Small Book.{name}"
    tags = mutagen.File(path).tags
    keys = {
        "m4b": ("\xa9nam", "\xa9ART", "\xa9wrt", "\xa9gen"),
        "mp3": ("TIT2", "TPE1", "TCOM", "TCON"),
        "flac": ("title", "artist", "composer", "genre"),
        "opus": ("title", "artist", "composer", "genre"),
    }[name]
    assert [str(tags[key][0]) for key in keys] == [
        "The Small Book", "A. Writer", "heart", "Audiobook",
    ]  # fmt: skip
    with av.open(str(path)) as container:
        pictures = list(container.streams.video)
        assert pictures
        assert (pictures[0].width, pictures[0].height) == (60, 80)
    if name == "mp3":
        assert len(ID3(path).getall("CHAP")) == 2
        assert len(ID3(path).getall("CTOC")) == 1


def test_acx_meets_every_number_of_acx(render: Callable[..., Path]) -> None:
    folder = render("--profile", "acx")
    assert names(folder, "mp3") == ["01 - The First Part.mp3", "02 - The Second Part.mp3"]
    for path in sorted(folder.glob("*.mp3")):
        measured, quiet = levels(path), silences(path)
        info = mutagen.File(path).info
        assert -23 <= measured.rms_db <= -18
        assert measured.peak_db <= -3
        assert (info.sample_rate, info.channels, info.bitrate) == (44_100, 1, 192_000)
        assert info.bitrate_mode in {BitrateMode.CBR, BitrateMode.UNKNOWN}
        with av.open(str(path)) as container:
            sizes = {packet.size for packet in container.demux(audio=0) if packet.size}
        assert sizes <= {626, 627}
        heard = samples(path)
        length_s = len(heard) / 44_100
        assert quiet[0][0] <= 0.05
        assert 0.5 <= quiet[0][1] <= 1.0
        assert quiet[-1][1] == pytest.approx(length_s, abs=0.05)
        assert 1.0 <= length_s - quiet[-1][0] <= 5.0
        tone = heard[4_410:17_640]
        assert 20 * np.log10(np.std(tone)) <= -60
        assert np.std(tone) > 0, "room tone, not digital silence"


def test_a_podcast_is_stereo_at_16_or_mono_at_19(render: Callable[..., Path]) -> None:
    path = render("--profile", "podcast") / "The Small Book.mp3"
    measured = levels(path)
    assert mutagen.File(path).info.channels == 2
    assert measured.lufs == pytest.approx(-16.0, abs=0.5)
    assert measured.true_peak_db <= -1.0


def test_a_podcast_in_mono_is_3_db_lower(render: Callable[..., Path]) -> None:
    path = render("--profile", "podcast", "--channels", 1) / "The Small Book.mp3"
    measured = levels(path)
    assert mutagen.File(path).info.channels == 1
    assert measured.lufs == pytest.approx(-19.0, abs=0.5)
    assert measured.true_peak_db <= -1.0


def test_channels_that_a_profile_does_not_have_are_refused(
    voxmill: Voxmill, source: Path, tmp_path: Path
) -> None:
    ran = voxmill("render", source, "--out", tmp_path, "--profile", "acx", "--channels", 2)
    assert ran.code == 2
    assert "'acx'" in ran.stderr
    assert "--channels" in ran.stderr


def test_broadcast_is_within_a_fifth_of_a_decibel(render: Callable[..., Path]) -> None:
    path = render("--profile", "broadcast", "--subtitles", "none") / "The Small Book.wav"
    measured = levels(path)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels) == (48_000, 2)
    assert measured.lufs == pytest.approx(-23.0, abs=0.2)
    assert measured.true_peak_db <= -1.0
    assert not list(path.parent.glob("*.srt"))


def test_raw_is_the_sound_of_the_engine(render: Callable[..., Path], spoken: Path) -> None:
    path = render("--profile", "raw") / "The Small Book.flac"
    made, rate = soundfile.read(path, dtype="float32")
    assert (rate, made.ndim) == (24_000, 1)
    take = max((spoken / ".voxmill").rglob("*.flac"), key=lambda found: found.stat().st_size)
    wanted, _ = soundfile.read(take, dtype="float32")
    middle = wanted[len(wanted) // 2 :][:2_000]
    places = np.flatnonzero(np.isclose(made, middle[0], atol=2e-5))
    assert any(np.allclose(made[at : at + len(middle)], middle, atol=2e-4) for at in places)


def test_no_joint_clicks(spoken: Path) -> None:
    """A click is a jump between samples where there is silence around it."""
    path = spoken / "A. Writer" / "The Small Book" / "The Small Book.flac"
    heard = samples(path)
    jumps = np.abs(np.diff(heard))
    speech = float(np.percentile(jumps, 99))
    for start_s, end_s in silences(path):
        # Where the fade ends and the next one begins, and all that lies between them.
        start, end = int(max(0.0, start_s - 0.02) * 44_100), int((end_s + 0.005) * 44_100)
        assert float(jumps[start:end].max()) < speech / 2
