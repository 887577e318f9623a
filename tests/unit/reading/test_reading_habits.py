"""Habits of real files: speakers, lists of contents, old encodings, screenplays, subtitles."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.manifest.script import Script
from pipeline.reading import notes
from pipeline.reading.read import ReadOptions, read_script

KNOWN = frozenset({"ALICE", "bob"})


def read(folder: Path, content: str | bytes, name: str = "book.txt", **options: object) -> Script:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_script(path, ReadOptions(**options))  # type: ignore[arg-type]


def turns(script: Script) -> list[tuple[str | None, str]]:
    """Speaker and text of every block."""
    blocks = [block for chapter in script.chapters for block in chapter.blocks if block.spans]
    return [(block.spans[0].speaker, block.text) for block in blocks]


def told(script: Script) -> list[tuple[str, list[str]]]:
    """Title and spoken blocks of each chapter."""
    return [(c.title, [b.text for b in c.blocks if b.text]) for c in script.chapters]


def test_named_voices_make_two_lines_a_dialogue(tmp_path: Path) -> None:
    content = "Alice: Hi.\nBob: Hello.\n"
    assert turns(read(tmp_path, content, speakers=KNOWN)) == [("Alice", "Hi."), ("Bob", "Hello.")]
    assert turns(read(tmp_path, content)) == [(None, "Alice: Hi. Bob: Hello.")]


def test_only_named_speakers_are_found_in_prose(tmp_path: Path) -> None:
    content = "It was late.\n\nWe left: all of us.\n\nBob: Hello.\n\nNote: it rains.\n"
    assert turns(read(tmp_path, content, speakers=KNOWN)) == [
        (None, "It was late."),
        (None, "We left: all of us."),
        ("Bob", "Hello."),
        (None, "Note: it rains."),
    ]


def test_a_label_is_no_speaker_even_among_speakers(tmp_path: Path) -> None:
    content = "Ann: Hi.\n\nTom: Hi.\n\nNote: it rains.\n\nAnn: Bye.\n\nTom: Bye.\n"
    assert turns(read(tmp_path, content))[2] == (None, "Note: it rains.")
    assert turns(read(tmp_path, content, speakers=frozenset({"note"})))[2] == ("Note", "it rains.")


def test_a_name_after_a_blank_line_joins_the_chapter_number(tmp_path: Path) -> None:
    content = (
        "CHAPTER I\n\nTHE SEA\n\nIt was blue.\n\nCHAPTER II\n\nThe Old Hill\n\nIt was green.\n"
    )
    assert told(read(tmp_path, content)) == [
        ("CHAPTER I: THE SEA", ["CHAPTER I", "THE SEA", "It was blue."]),
        ("CHAPTER II: The Old Hill", ["CHAPTER II", "The Old Hill", "It was green."]),
    ]


@pytest.mark.parametrize("opening", ["It rained.", "“Stop!”", "HOST: Hello", "He ran away"])
def test_an_opening_is_not_mistaken_for_a_name(tmp_path: Path, opening: str) -> None:
    script = read(tmp_path, f"Chapter 1\n\n{opening}\n\nMore of it.\n")
    assert script.chapters[0].title == "Chapter 1"
    assert script.chapters[0].blocks[1].kind == "paragraph"


@pytest.mark.parametrize(
    "listing",
    [
        "CONTENTS\n\n  CHAPTER I. The Sea ..... 1\n  CHAPTER II. The Hill .... 9\n",
        "Contents\n\nChapter I\nChapter II\n",
        "Table of Contents\n\nCHAPTER I\n\nThe Sea\n\nCHAPTER II\n\nThe Hill\n",
    ],
)
def test_a_list_of_contents_is_dropped_with_a_note(tmp_path: Path, listing: str) -> None:
    book = "\nCHAPTER I\n\nThe Sea\n\nIt was blue.\n\nCHAPTER II\n\nThe Hill\n\nIt was green.\n"
    script = read(tmp_path, listing + book)
    assert script.notes == ("Skipped the list of contents.",)
    assert told(script) == [
        ("CHAPTER I: The Sea", ["CHAPTER I", "The Sea", "It was blue."]),
        ("CHAPTER II: The Hill", ["CHAPTER II", "The Hill", "It was green."]),
    ]


def test_the_word_contents_alone_drops_nothing(tmp_path: Path) -> None:
    script = read(tmp_path, "Contents\n\nA tin of beans, and a rope.\n\nShe closed the box.\n")
    assert len(turns(script)) == 3


def test_notes_read_as_sentences() -> None:
    assert notes.omissions(n_footnotes=1, n_tables=0, n_formulas=1) == (
        "Skipped 1 footnote.",
        "1 formula is spoken as it is written.",
    )
    assert notes.omissions(n_footnotes=1200, n_tables=2, n_formulas=0) == (
        "Skipped 1,200 footnotes and 2 tables.",
    )
    assert notes.skipped(["the cover", "the index", "the cover", "the map"]) == (
        "Skipped the cover, the index and the map.",
    )
    assert notes.skipped([]) == ()


RUSSIAN = "Дождь шёл весь день над крышей старого дома. Он сидел у окна и читал книгу."
POLISH = "Wczoraj poszliśmy do kina, gdzie było dużo ludzi. Źle się czułem, więc wróciłem do domu."
CZECH = "Včera večer jsme šli do kina. Příliš žluťoučký kůň úpěl ďábelské ódy a měl žízeň."
GREEK = "Η βροχή έπεφτε όλη μέρα στη στέγη του παλιού σπιτιού δίπλα στη θάλασσα."
TURKISH = "Yağmur bütün gün eski evin çatısına yağdı ve çocuklar dışarı çıkmadı."


@pytest.mark.parametrize(
    ("encoding", "content"),
    [("koi8-r", RUSSIAN), ("cp1251", RUSSIAN), ("cp866", RUSSIAN), ("iso8859-5", RUSSIAN),
     ("cp1250", POLISH), ("iso8859-2", POLISH), ("cp1250", CZECH), ("iso8859-2", CZECH),
     ("cp1253", GREEK), ("cp1254", TURKISH), ("cp1252", "Il était une fois à l’école.")],
)  # fmt: skip
def test_old_encodings_are_told_by_their_letters(
    tmp_path: Path, encoding: str, content: str
) -> None:
    assert turns(read(tmp_path, content.encode(encoding))) == [(None, content)]


def test_bytes_in_no_known_encoding_say_how_to_convert_them(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, b"Fine.\n" + bytes(range(0xF0, 0x100)) * 9)
    assert caught.value.place == "line 2"
    assert "iconv" in caught.value.remedy


def test_a_screenplay_has_speakers(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "INT. KITCHEN - NIGHT\n\nRain.\n\n               MARY\n     (quietly)\n"
        "     Who's there?\n\n               JOHN (O.S.)\n     Only me. I forgot\n     my keys.\n",
    )
    assert turns(script) == [
        (None, "INT. KITCHEN - NIGHT"),
        (None, "Rain."),
        ("MARY", "Who's there?"),
        ("JOHN", "Only me. I forgot my keys."),
    ]


def test_emphasis_of_typewriters_is_not_spoken(tmp_path: Path) -> None:
    script = read(tmp_path, "It was _very_ cold, _quite\ncold_. Call snake_case_name.\n")
    assert turns(script) == [(None, "It was very cold, quite cold. Call snake_case_name.")]


def test_pictures_and_makers_of_gutenberg_texts_are_not_read(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "Title: Sea\n\n*** START OF THE PROJECT GUTENBERG EBOOK SEA ***\n\nProduced by Ann\n"
        "and Bob\n\nIt rained.\n\n[Illustration: A cat\nasleep]\n\nIt stopped.\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK SEA ***\nLicence.\n",
    )
    assert turns(script) == [(None, "It rained."), (None, "It stopped.")]
    assert [block.place for block in script.chapters[0].blocks] == ["line 8", "line 13"]


def test_a_chinese_novel_names_itself(tmp_path: Path) -> None:
    content = "书名：山海\n作者：李四\n\n第一章 出山\n\n　　太阳升起来了，他走了很长的路。\n"
    script = read(tmp_path, content.encode("gb18030"))
    assert (script.title, script.author) == ("山海", "李四")
    assert told(script) == [("第一章 出山", ["第一章 出山", "太阳升起来了，他走了很长的路。"])]


def cue(number: int, text: str) -> str:
    return f"{number}\n00:00:0{number},000 --> 00:00:0{number},900\n{text}\n\n"


def test_subtitles_for_the_deaf_become_speech(tmp_path: Path) -> None:
    cues = [
        cue(1, "♪ La la la ♪"),
        cue(2, "MAN: Hello there.\nWOMAN: [sighs] Hi."),
        cue(3, "(DOOR SLAMS)\nI said (softly) no."),
    ]
    script = read(tmp_path, "".join(cues), "film.srt")
    assert turns(script) == [
        (None, "La la la"),
        ("MAN", "Hello there."),
        ("WOMAN", "Hi."),
        (None, "I said (softly) no."),
    ]
    assert script.notes == ("Skipped 2 sound descriptions.",)


def test_two_voices_in_one_cue_stay_apart(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Ann>- Right.\n<v Bob>- Left.\n"
    assert turns(read(tmp_path, content, "film.vtt")) == [("Ann", "Right."), ("Bob", "Left.")]


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """A link to itself cannot be opened even by root, unlike a file without permissions."""
    path = tmp_path / "book.txt"
    path.symlink_to(path)
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_script(path, ReadOptions())
    assert "permissions" in caught.value.remedy


def test_a_head_that_is_not_yaml_is_refused_rather_than_spoken(tmp_path: Path) -> None:
    path = tmp_path / "book.md"
    path.write_text('---\ntitle: Part 1: "The Sea"\n---\n\nIt began.\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2.*not YAML.*in quotes"):
        read_script(path, ReadOptions())


def test_a_scene_between_rules_is_not_taken_for_a_head(tmp_path: Path) -> None:
    path = tmp_path / "book.md"
    path.write_text("---\n\nHe said: go: now.\n\n---\n\nIt began.\n", encoding="utf-8")
    texts = [block.text for block in read_script(path, ReadOptions()).chapters[0].blocks]
    assert "He said: go: now." in texts
