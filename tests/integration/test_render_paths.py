"""Names and folders as people have them: spaces, quotes, other scripts, twice the same title."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import Ran, outputs

Voxmill = Callable[..., Ran]

TEXT = "# One\n\nThe lamp was lit.\n\n# Two\n\nNobody came.\n"
#: Nothing here is about the sound, and one small format is enough.
QUICK = ("--check", "off", "--formats", "opus", "--subtitles", "srt")


def write(path: Path, text: str = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_folders_and_files_may_have_any_name(voxmill: Voxmill, tmp_path: Path) -> None:
    home = tmp_path / 'Ünï cödé \'n "quotes"'
    book = write(home / "l'été [1] 100% $HOME é.md")
    ran = voxmill("render", book, "--out", "new/deep tree/out", *QUICK, cwd=home, env=_code())
    assert ran.code == 0, ran.stderr
    made = list((home / "new" / "deep tree" / "out").rglob("*.opus"))
    assert len(made) == 1
    again = voxmill("render", book, "--out", "new/deep tree/out", *QUICK, cwd=home, env=_code())
    assert "Already rendered" in again.stdout


def _code() -> dict[str, str]:
    """Let a command that starts elsewhere find the code under test."""
    return {"PYTHONPATH": str(Path(__file__).parents[2])}


def test_a_title_with_slashes_and_300_letters_becomes_a_folder(
    voxmill: Voxmill, tmp_path: Path
) -> None:
    book, title = write(tmp_path / "book.md"), "../Either/Or: " + "a very long title " * 17
    ran = voxmill("render", book, "--out", tmp_path / "out", "--title", title, *QUICK)
    assert ran.code == 0, ran.stderr
    (made,) = (tmp_path / "out").rglob("*.opus")
    assert made.parent.parent.name == "Unknown author"
    assert made.name.startswith("-Either-Or - a very long title")
    assert len(made.name.encode()) < 255


def test_two_books_of_one_title_keep_their_own_folders(voxmill: Voxmill, tmp_path: Path) -> None:
    out = tmp_path / "out"
    one, two = write(tmp_path / "one.md"), write(tmp_path / "two.md", TEXT.replace("lamp", "fire"))
    ran = voxmill("render", one, two, "--out", out, "--title", "Same", *QUICK)
    assert ran.code == 0, ran.stderr
    made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.opus"))
    assert made == ["Unknown author/Same (2)/Same.opus", "Unknown author/Same/Same.opus"]
    before = outputs(out)
    again = voxmill("render", one, two, "--out", out, "--title", "Same", *QUICK)
    assert again.stdout.count("Already rendered") == 2
    assert outputs(out) == before


def test_an_edited_book_leaves_no_old_chapter_behind(voxmill: Voxmill, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ("--profile", "acx", "--check", "off")
    book = write(tmp_path / "book.md", TEXT + "\n# Three\n\nIt was late.\n")
    assert voxmill("render", book, "--out", out, *options).code == 0
    assert len(list(out.rglob("*.mp3"))) == 3
    write(book, TEXT.replace("# Two", "# The Second"))
    ran = voxmill("render", book, "--out", out, *options)
    assert ran.code == 0, ran.stderr
    assert sorted(path.name for path in out.rglob("*.mp3")) == [
        "01 - One.mp3",
        "02 - The Second.mp3",
    ]
    assert sorted(path.name for path in out.rglob("*.srt")) == [
        "01 - One.srt",
        "02 - The Second.srt",
    ]
