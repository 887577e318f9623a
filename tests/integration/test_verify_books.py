"""`voxmill verify` on real files: passes what is whole, and names the place of what is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from conftest import BOOK, Ran

from pipeline.audio import ffmpeg
from pipeline.errors import InputError
from pipeline.models.whisper import Whisper
from pipeline.run.verify import Verified, verify

Voxmill = Callable[..., Ran]

SENTENCE = "In the morning there were 14 letters on the table."


@pytest.fixture(scope="module")
def whole(voxmill: Voxmill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a good render, in two formats."""
    folder = tmp_path_factory.mktemp("whole")
    book = folder / "small.md"
    book.write_text(BOOK, encoding="utf-8")
    ran = voxmill(
        "render", book, "--out", folder / "out", "--formats", "m4b,flac", "--subtitles", "srt,json"
    )
    assert ran.code == 0, ran.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def whisper(whisper_dir: Path) -> Whisper:
    return Whisper(whisper_dir, threads=2)


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    """A copy of the good render, to damage."""
    return shutil.copytree(whole, tmp_path / "out")


@pytest.fixture
def book(out: Path) -> Path:
    return out / "A. Writer" / "The Small Book"


@pytest.fixture
def problems(whisper: Whisper) -> Callable[[Path], list[str]]:
    """Verify a folder that holds one book."""

    def found(folder: Path) -> list[str]:
        (one,) = verify(folder, whisper, lambda share, text: None)
        return [f"{problem.file}: {problem.text}" for problem in one.problems]

    return found


def span(book: Path, text: str) -> tuple[float, float]:
    document = json.loads((book / "The Small Book.json").read_text("utf-8"))
    sentence = next(s for s in document["sentences"] if s["text"] == text)
    return sentence["start_s"], sentence["end_s"]


def filtered(path: Path, filters: str) -> None:
    """Replace a file by what ffmpeg makes of it."""
    made = path.with_name(f"made{path.suffix}")
    ffmpeg.run(["-i", path, "-map", "0:a", "-af", filters, made])
    made.replace(path)


def test_a_good_render_passes(voxmill: Voxmill, whole: Path) -> None:
    ran = voxmill("verify", whole)
    assert ran.code == 0, ran.stdout
    assert "The Small Book: 10 sentences" in ran.stdout
    assert "complete and unchanged" in ran.stdout


def test_what_is_wrong_ends_with_code_3_and_names_the_file(voxmill: Voxmill, out: Path) -> None:
    next(out.rglob("*.flac")).unlink()
    path = next(out.glob("A. Writer/*/*.m4b"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    ran = voxmill("verify", out, "--json")
    assert ran.code == 3
    (one,) = json.loads(ran.stdout)
    assert one["title"] == "The Small Book"
    assert "The Small Book.m4b" in {problem["file"] for problem in one["problems"]}


def test_a_missing_file_is_found(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    (book / "The Small Book.m4b").unlink()
    (book / "The Small Book.srt").unlink()
    assert problems(out) == ["The Small Book.srt: missing", "The Small Book.m4b: missing"]


def test_a_truncated_file_is_found_with_every_sentence_that_is_gone(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    path = book / "The Small Book.flac"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = problems(out)
    assert any("The Small Book.flac: changed" in problem for problem in found)
    assert any("cannot be played" in problem or "not heard" in problem for problem in found)


def test_one_changed_byte_is_found(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    path = book / "The Small Book.m4b"
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 0x10
    path.write_bytes(data)
    assert any("The Small Book.m4b: changed since it was made" in each for each in problems(out))


def test_a_sentence_that_was_cut_out_is_named_with_its_place(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    start_s, end_s = span(book, SENTENCE)
    filtered(
        book / "The Small Book.flac",
        f"aselect='not(between(t,{start_s},{end_s}))',asetpts=N/SR/TB",
    )
    found = problems(out)
    assert f"The Small Book.flac: not heard at {start_s:.1f} s: {SENTENCE!r}" in found
    assert any(" s long instead of " in problem for problem in found)


def test_a_sentence_that_was_silenced_is_named_though_the_length_is_right(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    start_s, end_s = span(book, SENTENCE)
    filtered(book / "The Small Book.flac", f"volume=0:enable='between(t,{start_s},{end_s})'")
    found = problems(out)
    assert f"The Small Book.flac: not heard at {start_s:.1f} s: {SENTENCE!r}" in found
    assert not any(" s long instead of " in problem for problem in found)


def test_lost_and_moved_chapters_are_found(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    m4b, flac, bare = book / "The Small Book.m4b", book / "The Small Book.flac", book / "bare.m4b"
    ffmpeg.run(["-i", m4b, "-map_chapters", "-1", "-c", "copy", "-f", "ipod", bare])
    bare.replace(m4b)
    tags = mutagen.File(flac)
    tags["CHAPTER001"] = "00:00:09.000"
    tags.save()
    found = problems(out)
    assert "The Small Book.m4b: 0 chapters instead of 2" in found
    assert any("The Small Book.flac: chapter" in problem for problem in found)


def test_changed_subtitles_and_a_changed_report_are_found(
    book: Path, out: Path, problems: Callable[[Path], list[str]]
) -> None:
    for name in ("The Small Book.srt", "report.json"):
        path = book / name
        path.write_text(path.read_text("utf-8").replace("empty", "full"), encoding="utf-8")
    found = problems(out)
    assert any(problem.startswith("The Small Book.srt: changed") for problem in found)
    assert any(problem.startswith("report.json: changed") for problem in found)


def test_a_book_that_was_moved_is_verified_by_its_receipt_alone(
    book: Path, tmp_path: Path, problems: Callable[[Path], list[str]]
) -> None:
    moved = shutil.move(book, tmp_path / "moved")
    assert problems(Path(moved)) == []


def test_several_books_are_verified_and_one_broken_receipt_does_not_hide_the_others(
    book: Path, out: Path, whisper: Whisper
) -> None:
    other = shutil.copytree(book, out / "B. Writer" / "Other")
    (other / "report.json").write_text("{}", encoding="utf-8")
    good, broken = verify(out, whisper, lambda share, text: None)
    assert good.problems == ()
    assert broken.folder == other
    assert "cannot be read" in broken.problems[0].text


def test_a_folder_of_chapters_is_verified_chapter_by_chapter(
    voxmill: Voxmill, whole: Path, tmp_path: Path, whisper: Whisper
) -> None:
    source = whole.parent / "small.md"
    shutil.copytree(whole / ".voxmill" / "chunks", tmp_path / "out" / ".voxmill" / "chunks")
    ran = voxmill("render", source, "--out", tmp_path / "out", "--profile", "acx")
    assert ran.code == 0, ran.stderr
    first, second = sorted(tmp_path.glob("out/*/*/*.mp3"))

    def found() -> Verified:
        (one,) = verify(tmp_path / "out", whisper, lambda share, text: None)
        return one

    assert found().problems == ()
    # The first chapter stands where the second should: every sentence of the second is missing.
    shutil.copyfile(first, second)
    problems = [problem for problem in found().problems if problem.file == second.name]
    missing = [problem.text for problem in problems if problem.text.startswith("not heard")]
    assert len(missing) >= 3


def test_a_folder_without_books_is_an_error(voxmill: Voxmill, tmp_path: Path) -> None:
    ran = voxmill("verify", tmp_path)
    assert ran.code == InputError.exit_code
    assert str(tmp_path) in ran.stderr
    assert "voxmill render --out" in ran.stderr
