"""Clean text, encodings, marks, languages, speakers: what needs no pandoc."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError, RequestError
from pipeline.manifest.script import Script
from pipeline.reading import encoding, language, text
from pipeline.reading.read import ReadOptions, read_script

CHINESE = "他走了很长的路，看见了一座山。天气很好，我们去公园散步吧。她说：“明天见。”"
TRADITIONAL = "他走了很長的路，看見了一座山。天氣很好，我們去公園散步吧。"


def read(folder: Path, content: str | bytes, name: str = "book.txt", **options: object) -> Script:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_script(path, ReadOptions(**options))  # type: ignore[arg-type]


def blocks(script: Script) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for chapter in script.chapters for block in chapter.blocks]


def refusal(
    folder: Path, content: str | bytes, name: str = "book.txt", **options: object
) -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, content, name, **options)
    assert caught.value.remedy
    assert name in str(caught.value)
    return caught.value


def test_invisible_characters_and_extra_spaces_are_removed() -> None:
    assert text.clean("\ufeff a\u00adb\u200b  c\u00a0d\u2060 ") == "ab c d"


def test_letters_are_composed() -> None:
    assert text.clean("cafe\u0301") == "café"


def test_persian_keeps_its_joiners() -> None:
    assert text.clean("می\u200cخواهم") == "می\u200cخواهم"


def test_lines_of_chinese_are_joined_without_a_space() -> None:
    assert text.clean("今天天\n气很好") == "今天天气很好"
    assert text.clean("hard\nwrapped") == "hard wrapped"


@given(st.text())
def test_cleaning_twice_changes_nothing_more(dirty: str) -> None:
    assert text.clean(text.clean(dirty)) == text.clean(dirty)


@given(st.text(alphabet=string.ascii_letters + " \n\t-.,!?", max_size=200))
def test_cleaning_loses_no_visible_character(dirty: str) -> None:
    assert "".join(text.clean(dirty).split()) == "".join(dirty.split())


@pytest.mark.parametrize("ornament", ["***", "* * *", "---", "⁂", "#", "~~~", "* * * * *", "———"])
def test_ornaments_are_scene_breaks(tmp_path: Path, ornament: str) -> None:
    script = read(tmp_path, f"First scene.\n\n{ornament}\n\nSecond scene.\n")
    assert [kind for kind, _ in blocks(script)] == ["paragraph", "scene_break", "paragraph"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("utf-8", CHINESE),
        ("utf-8-sig", CHINESE),
        ("utf-16", CHINESE),
        ("utf-32", CHINESE),
        ("gb18030", CHINESE),
        ("big5", TRADITIONAL),
        ("shift_jis", "昨日は雨が降っていました。今日は公園へ行きます。"),
        ("euc_jp", "昨日は雨が降っていました。今日は公園へ行きます。"),
        ("euc_kr", "오늘은 날씨가 좋습니다. 우리는 공원에 갑니다."),
        ("cp1252", "Le garçon était très fatigué. “Déjà vu”, dit-il."),
        ("utf-16-le", "Plain English, wide, without a mark."),
        ("cp1251", "Сегодня хорошая погода, и мы идём гулять в парк."),
    ],
)
def test_text_in_any_encoding_comes_out_right(name: str, content: str) -> None:
    assert encoding.decode(content.encode(name), Path("x.txt"))[0] == content


def test_what_was_not_utf8_is_noted(tmp_path: Path) -> None:
    script = read(tmp_path, CHINESE.encode("gb18030"))
    assert script.language == "zh"
    assert "Read as gb18030; the file is not UTF-8." in script.notes


def test_a_bad_byte_in_utf8_is_named_by_its_line(tmp_path: Path) -> None:
    data = ("Déjà vu, élève.\n" * 4).encode() + b"bad \xff byte\n"
    assert refusal(tmp_path, data).place == "line 5"


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    assert "zero bytes" in refusal(tmp_path, bytes(range(256)) * 8, "book.md").problem


@pytest.mark.parametrize("content", ["", "  \n\n ", "\ufeff", "***\n\n...\n", "!!! ???"])
def test_a_text_without_words_is_refused(tmp_path: Path, content: str) -> None:
    refusal(tmp_path, content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_script(tmp_path / "none.txt", ReadOptions())
    with pytest.raises(InputError, match="folder"):
        read_script(tmp_path, ReadOptions())


def test_a_text_above_the_limit_is_refused(tmp_path: Path) -> None:
    assert "limit of 100" in refusal(tmp_path, "word " * 50, max_chars=100).problem


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("book.txt", b"%PDF-1.7 ...", "PDF"),
        ("book.pdf", b"%PDF-1.7 ...", "PDF"),
        ("book.doc", b"\xd0\xcf\x11\xe0" + bytes(64), "old or a locked"),
        ("book.rtf", b"{\\rtf1 hello}", "RTF"),
        ("book.mobi", bytes(60) + b"BOOKMOBI" + bytes(60), "Kindle"),
        ("book.txt", b"\x89PNG\r\n\x1a\n", "picture"),
        ("book.xyz", b"Some text.", ".xyz"),
        ("book.epub", b"Some text.", "EPUB"),
        ("book.docx", b"Some text.", "DOCX"),
        ("book.txt", b"<!DOCTYPE html><html><p>Hi</p></html>", "HTML"),
        ("book.vtt", b"No header here", "VTT"),
        ("book.srt", b"No times here", "SRT"),
        ("book.fb2", b"No markup here", "FB2"),
        ("book.txt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "VTT"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    assert words in refusal(tmp_path, data, name).problem


def test_wrapped_lines_make_one_paragraph(tmp_path: Path) -> None:
    script = read(tmp_path, "It was a dark\nand stormy night.\n\nThe rain fell.\n")
    assert blocks(script) == [
        ("paragraph", "It was a dark and stormy night."),
        ("paragraph", "The rain fell."),
    ]
    assert [block.place for block in script.chapters[0].blocks] == ["line 1", "line 4"]


def test_indented_and_long_lines_are_paragraphs_of_their_own(tmp_path: Path) -> None:
    assert len(blocks(read(tmp_path, "　　第一段很好。\n　　第二段也好。\n"))) == 2
    long_line = "A sentence that is repeated often. " * 8
    assert len(blocks(read(tmp_path, f"{long_line}\n{long_line}\n{long_line}\n"))) == 3


@pytest.mark.parametrize(
    "heading",
    ["CHAPTER I", "Chapter One", "Chapter 12: The End", "CHAPTER IV. The Sea", "Prologue",
     "第三章 新的开始", "第12回", "Kapitel 3", "PART TWO", "Chapter Twenty-One"],
)  # fmt: skip
def test_chapter_lines_are_headings(tmp_path: Path, heading: str) -> None:
    script = read(tmp_path, f"{heading}\n\nSomething happened there.\n")
    assert blocks(script)[0] == ("heading", heading)
    assert [chapter.title for chapter in script.chapters] == [heading]


@pytest.mark.parametrize(
    "line", ["Chapter 3 was boring, he said.", "Part of me knew.", "Book a room.", "I. "]
)
def test_sentences_are_not_headings(tmp_path: Path, line: str) -> None:
    assert blocks(read(tmp_path, f"{line}\n\nMore text.\n"))[0][0] == "paragraph"


def test_a_name_below_the_chapter_number_joins_the_title(tmp_path: Path) -> None:
    script = read(
        tmp_path, "CHAPTER I.\nDown the Hole\n\nText one.\n\nCHAPTER II.\nThe Pool\n\nTwo."
    )
    assert [chapter.title for chapter in script.chapters] == [
        "CHAPTER I: Down the Hole",
        "CHAPTER II: The Pool",
    ]
    assert blocks(script)[:2] == [("heading", "CHAPTER I."), ("heading", "Down the Hole")]


def test_the_gutenberg_licence_is_skipped_and_its_header_read(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "The Project Gutenberg eBook of Emma\n\nTitle: Emma\n\nAuthor: Jane Austen\n\n"
        "Language: English\n\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\n"
        "Emma Woodhouse, handsome and rich.\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK EMMA ***\n\nLicence text.\n",
    )
    assert (script.title, script.author, script.language) == ("Emma", "Jane Austen", "en")
    assert blocks(script) == [("paragraph", "Emma Woodhouse, handsome and rich.")]
    assert script.chapters[0].blocks[0].place == "line 11"
    assert "Skipped the Project Gutenberg licence." in script.notes


def test_pause_and_voice_marks_become_spans(tmp_path: Path) -> None:
    script = read(
        tmp_path, "One [pause 800ms] two [pause 1.5s] three.\n\n[voice: heart] Four.\n\nFive "
        "[voice: default] six.\n",
    )  # fmt: skip
    spans = [
        [(s.text, s.voice, s.pause_after_ms) for s in b.spans] for b in script.chapters[0].blocks
    ]
    assert spans == [
        [("One", None, 800), ("two", None, 1500), ("three.", None, None)],
        [("Four.", "heart", None)],
        [("Five", "heart", None), ("six.", None, None)],
    ]


def test_a_pause_may_stand_alone(tmp_path: Path) -> None:
    script = read(tmp_path, "One.\n\n[pause 2s]\n\nTwo.\n")
    assert script.chapters[0].blocks[1].spans[0].pause_after_ms == 2000
    assert script.chapters[0].blocks[1].text == ""


@pytest.mark.parametrize(
    "mark", ["[pause abc]", "[pause]", "[voice:]", "[pause 9999s]", "[pause -1s]"]
)
def test_a_bad_mark_is_an_error_with_its_place(tmp_path: Path, mark: str) -> None:
    error = refusal(tmp_path, f"Fine.\n\nThen {mark} this.\n")
    assert error.place == "line 3"
    assert mark in error.problem


def test_stage_directions_are_not_marks(tmp_path: Path) -> None:
    assert blocks(read(tmp_path, "Hello. [Pause] Well? [Pauses.] Bye."))[0][1].count("[") == 2


def test_named_lines_are_speakers_when_the_whole_text_has_them(tmp_path: Path) -> None:
    script = read(
        tmp_path, "HOST: Hello there.\nHow are you?\nGUEST (softly): Fine.\n\nDr. Lee: Yes.\n\n"
        "HOST: Good: very.\n\nThe door closes.\n\nDr. Lee: So?\n\nGUEST: Bye.",
    )  # fmt: skip
    spans = [block.spans[0] for block in script.chapters[0].blocks]
    assert [(span.speaker, span.text) for span in spans] == [
        ("HOST", "Hello there. How are you?"),
        ("GUEST", "Fine."),
        ("Dr. Lee", "Yes."),
        ("HOST", "Good: very."),
        (None, "The door closes."),
        ("Dr. Lee", "So?"),
        ("GUEST", "Bye."),
    ]


def test_a_chinese_dialogue_has_speakers(tmp_path: Path) -> None:
    script = read(tmp_path, "小明：你好。\n小红：你好，小明。\n小明：再见。\n小红：再见。\n")
    assert [block.spans[0].speaker for block in script.chapters[0].blocks] == ["小明", "小红"] * 2


@pytest.mark.parametrize(
    "content",
    [
        "Warning: it is hot.\n\nHe left the house.\n\nShe stayed in bed.\n",
        "Name: Bob\n\nAge: ten\n\nTown: Leeds\n",
        "One thing is clear: we go.\n\nOne thing is clear: we stay.\n",
    ],
)
def test_a_colon_alone_makes_no_speaker(tmp_path: Path, content: str) -> None:
    script = read(tmp_path, content)
    assert " ".join(words for _, words in blocks(script)) == " ".join(content.split())


@pytest.mark.parametrize(
    ("declared", "words", "tag"),
    [
        ("en-GB", "Hello there.", "en"),
        ("fre", "Bonjour.", "fr"),
        ("en", CHINESE, "zh"),
        (None, CHINESE, "zh"),
        (None, "昨日は雨が降っていました。", "ja"),
        (None, "오늘은 날씨가 좋습니다.", "ko"),
        (None, "The rain fell all day on the roof of the old house by the sea.", "en"),
        (None, "Der Regen fiel den ganzen Tag auf das Dach des alten Hauses.", "de"),
        (None, "La pluie tombait toute la journée sur le toit de la maison.", "fr"),
        (None, "Llovía todo el día sobre el tejado de la vieja casa.", "es"),
        (None, "Дождь шёл весь день над крышей старого дома.", "ru"),
        ("und", "The rain fell all day on the roof of the old house.", "en"),
        (None, "Hi!", "en"),
    ],
)
def test_the_language_is_found(declared: str | None, words: str, tag: str) -> None:
    assert language.decide(declared, words) == tag


def test_options_override_the_file(tmp_path: Path) -> None:
    script = read(tmp_path, "Hello there.", title="T", author="A", language="fr-CA")
    assert (script.title, script.author, script.language) == ("T", "A", "fr")


BOOK = "".join(f"Chapter {n}\n\nText number {n}.\n\n" for n in range(1, 6))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [("2-4", [2, 3, 4]), ("1,5", [1, 5]), ("4-", [4, 5]), ("-2", [1, 2]), ("5, 1", [1, 5])],
)
def test_chapters_are_chosen_by_number(tmp_path: Path, wanted: str, numbers: list[int]) -> None:
    script = read(tmp_path, BOOK, chapters=wanted)
    assert [chapter.title for chapter in script.chapters] == [f"Chapter {n}" for n in numbers]


@pytest.mark.parametrize("wanted", ["", "x", "0", "6", "3-2", "1,,2", "2-9", "1.5"])
def test_chapters_that_make_no_sense_are_refused(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(RequestError, match=r"chapter|Chapters"):
        read(tmp_path, BOOK, chapters=wanted)


def test_a_list_of_chapters_is_not_read(tmp_path: Path) -> None:
    listing = "Contents\n\nChapter 1\nChapter 2\nChapter 3\nChapter 4\nChapter 5\n\n"
    script = read(tmp_path, listing + BOOK)
    assert [c.title for c in script.chapters if c.title.startswith("Ch")] == [
        f"Chapter {n}" for n in range(1, 6)
    ]
    assert [words for kind, words in blocks(script) if kind == "heading"] == [
        f"Chapter {n}" for n in range(1, 6)
    ]


SRT = (
    "1\n00:00:01,000 --> 00:00:02,000\nHello <i>there</i>,\n\n"
    "2\n00:00:02,100 --> 00:00:03,000\nmy friend.\n\n3\n00:00:03,500 --> 00:00:04,000\n[MUSIC]\n\n"
    "4\n00:00:08,000 --> 00:00:09,000\n{\\an8}Bye.\n- Who?\n- Me.\n"
)


def test_sentences_across_cues_stay_whole(tmp_path: Path) -> None:
    script = read(tmp_path, SRT, "film.srt")
    assert [words for _, words in blocks(script)] == [
        "Hello there, my friend.",
        "Bye.",
        "Who?",
        "Me.",
    ]
    assert "Skipped 1 sound description." in script.notes
    assert script.chapters[0].blocks[1].place == "cue 4"


def test_webvtt_voices_are_speakers(tmp_path: Path) -> None:
    script = read(
        tmp_path, "WEBVTT\n\nNOTE hidden\n\n"
        "00:01.000 --> 00:02.000 align:start\n<v Ann>Hi &amp; bye\n\n"
        "STYLE\n::cue {}\n\nid-1\n00:03.000 --> 00:04.000\n<v Bob>Yes.\n", "film.vtt",
    )  # fmt: skip
    spans = [block.spans[0] for block in script.chapters[0].blocks]
    assert [(span.speaker, span.text) for span in spans] == [("Ann", "Hi & bye"), ("Bob", "Yes.")]


def test_a_bad_time_stamp_is_named_by_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "1\n00:00 -> --> x\nHi\n", "film.srt").place == "line 2"


def test_reading_is_deterministic_and_survives_its_own_encoding(tmp_path: Path) -> None:
    first, second = read(tmp_path, BOOK), read(tmp_path, BOOK)
    assert first.encode() == second.encode()
    assert Script.decode(first.encode()) == first
    assert json.loads(first.encode())["sources"][0]["format"] == "text"
