"""Every format through the real pandoc, with books built here."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pypandoc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.manifest.script import Script
from pipeline.reading.read import ReadOptions, read_script

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def page(body: str, kind: str = "") -> str:
    return (
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f'<head><title>x</title></head><body epub:type="{kind}">{body}</body></html>'
    )


def epub(path: Path, pages: dict[str, str], toc: list[tuple[str, str]], *, version: int = 3,
         extra: dict[str, str | bytes] | None = None, meta: str = "") -> Path:  # fmt: skip
    """Write an EPUB 2 (ncx) or 3 (nav) with these pages and contents."""
    items = "".join(f'<item id="p{n}" href="{name}"/>' for n, name in enumerate(pages))
    spine = "".join(f'<itemref idref="p{n}"/>' for n in range(len(pages)))
    points = "".join(
        f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{to}"/></navPoint>'
        for title, to in toc
    )
    entries = "".join(f'<li><a href="{to}">{title}</a></li>' for title, to in toc)
    contents = {
        2: ("toc.ncx", f'<ncx><navMap>{points}</navMap></ncx>'),
        3: ("nav.xhtml", page(f'<nav epub:type="toc"><ol>{entries}</ol></nav>')),
    }  # fmt: skip
    name, text = contents[version]
    described = {2: 'media-type="application/x-dtbncx+xml"', 3: 'properties="nav"'}[version]
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>The Sea</dc:title><dc:creator>Ann Lee</dc:creator>"
        f"<dc:language>en-GB</dc:language>{meta}</metadata><manifest>{items}"
        f'<item id="toc" href="{name}" {described}/><item id="pic" href="c.png"/></manifest>'
        f"<spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("OPS/book.opf", opf)
        book.writestr(f"OPS/{name}", text)
        for member, body in pages.items():
            book.writestr(f"OPS/{member}", body)
        for member, data in (extra or {}).items():
            book.writestr(member, data)
    return path


def written(path: Path, markdown: str, source_format: str) -> Path:
    """Have pandoc write a file."""
    command = [pypandoc.get_pandoc_path(), "-f", "markdown-smart", "-t", source_format, "-s"]
    command += ["--metadata", "title=T", "-o", str(path)]
    subprocess.run(command, input=markdown.encode(), check=True, capture_output=True)
    return path


def read(path: Path, **options: object) -> Script:
    return read_script(path, ReadOptions(**options))  # type: ignore[arg-type]


def told(script: Script) -> list[tuple[str, list[str]]]:
    """Title and spoken blocks of each chapter."""
    return [(c.title, [b.text for b in c.blocks if b.text]) for c in script.chapters]


@pytest.mark.parametrize("version", [2, 3])
def test_titles_stay_with_their_chapters(tmp_path: Path, version: int) -> None:
    """An empty heading, a title page and two chapters in one file shift nothing."""
    book = epub(
        tmp_path / "b.epub",
        {
            "cover.xhtml": page('<img src="c.png" alt="Cover"/>'),
            "t.xhtml": page("<h1>The Sea</h1><p>Ann Lee</p>", "titlepage"),
            "one.xhtml": page("<h1></h1><h2>One</h2><p>First text.</p>"),
            "two.xhtml": page('<h2 id="a">Two</h2><p>2nd.</p><h2 id="b">Three</h2><p>3rd.</p>'),
            "four.xhtml": page("<p>Four</p><p>Fourth.</p>"),
            "five.xhtml": page("<p>Fifth.</p>"),
        },
        [("One", "one.xhtml"), ("Two", "two.xhtml#a"), ("Three", "two.xhtml#b"),
         ("Four", "four.xhtml"), ("Five", "five.xhtml")],
        version=version,
    )  # fmt: skip
    script = read(book)
    assert told(script) == [
        ("One", ["One", "First text."]),
        ("Two", ["Two", "2nd."]),
        ("Three", ["Three", "3rd."]),
        ("Four", ["Four", "Fourth."]),
        ("Five", ["Five", "Fifth."]),
    ]
    assert all(chapter.blocks[0].kind == "heading" for chapter in script.chapters)
    assert (script.title, script.author, script.language) == ("The Sea", "Ann Lee", "en")
    assert "Skipped the title page." in script.notes


def test_front_and_back_matter_is_skipped_with_a_note(tmp_path: Path) -> None:
    book = epub(
        tmp_path / "b.epub",
        {
            "c.xhtml": page("<p>Copyright © Ann Lee. All rights reserved. ISBN 1.</p>"),
            "toc1.xhtml": page(
                "".join(f'<p><a href="one.xhtml">Chapter {n}</a></p>' for n in range(6))
            ),
            "one.xhtml": page("<h1>One</h1><p>Text.</p>"),
            "more.xhtml": page("<p>Still one.</p>"),
            "also.xhtml": page("<h1>Also by Ann Lee</h1><p>The Hill</p>"),
            "about.xhtml": page("<h1>About the Author</h1><p>She writes.</p>"),
        },
        [
            ("One", "one.xhtml"),
            ("Also by Ann Lee", "also.xhtml"),
            ("About the Author", "about.xhtml"),
        ],
    )
    script = read(book)
    assert told(script) == [("One", ["One", "Text.", "Still one."])]
    left_out = "the copyright page, the contents page, the list of other books"
    assert script.notes == (f"Skipped {left_out} and the pages about the author.",)


def test_the_cover_is_found(tmp_path: Path) -> None:
    pages, toc = {"one.xhtml": page("<p>Text.</p>")}, [("One", "one.xhtml")]
    meta = '<meta name="cover" content="pic"/>'
    book = epub(tmp_path / "b.epub", pages, toc, meta=meta, extra={"OPS/c.png": PNG})
    cover = read(book).cover
    assert cover is not None
    assert (cover.media_type, cover.data) == ("image/png", PNG)


def test_a_part_page_joins_the_chapter_after_it(tmp_path: Path) -> None:
    book = tmp_path / "b.md"
    book.write_text(
        "# Part One\n\n## Chapter 1\n\nA.\n\n## Chapter 2\n\nB.\n\n"
        "# Part Two\n\n## Chapter 3\n\nC.\n"
    )
    assert told(read(book)) == [
        ("Chapter 1", ["Part One", "Chapter 1", "A."]),
        ("Chapter 2", ["Chapter 2", "B."]),
        ("Chapter 3", ["Part Two", "Chapter 3", "C."]),
    ]


NOTES = page(
    '<h1>One</h1><p>Before<sup><a href="#n1">1</a></sup> after.</p><p>Next.</p>'
    '<aside id="n1"><p>The note.</p></aside>'
)


@pytest.mark.parametrize(
    ("choice", "words"),
    [("skip", ["One", "Before after.", "Next."]),
     ("speak", ["One", "Before after.", "The note.", "Next."])],
)  # fmt: skip
def test_footnotes_are_spoken_after_their_paragraph_or_skipped(
    tmp_path: Path, choice: str, words: list[str]
) -> None:
    book = epub(tmp_path / "b.epub", {"one.xhtml": NOTES}, [("One", "one.xhtml")])
    script = read(book, footnotes=choice)
    assert told(script) == [("One", words)]
    assert ("Skipped 1 footnote." in script.notes) == (choice == "skip")


RICH = """# One

Some [link](http://x.y) and [Small]{.smallcaps} caps.^[A note.] Then [pause 300ms] more.

* * *

> Quoted.

| line one
| line two

1. first
2. second

| Name | Age |
|------|-----|
| Ann  | ten |

# Two

Last words.
"""


@pytest.mark.parametrize(
    "source_format", ["markdown", "epub", "epub2", "docx", "odt", "html", "fb2", "rst"]
)
def test_every_format_tells_the_same_story(tmp_path: Path, source_format: str) -> None:
    ending = {"markdown": "md", "epub2": "epub"}.get(source_format, source_format)
    path = tmp_path / f"b.{ending}"
    if ending == "md":
        path.write_text(RICH)
    else:
        written(path, RICH, source_format)
    script = read(path)
    assert [chapter.title for chapter in script.chapters] == ["One", "Two"]
    words = " ".join(block.text for chapter in script.chapters for block in chapter.blocks)
    for phrase in ("Some link and", "caps.", "Then more.", "Quoted.", "line one line two", "first",
                   "second", "Name: Ann; Age: ten.", "Last words."):  # fmt: skip
        assert phrase in words
    assert "A note." not in words
    assert "Skipped 1 footnote." in script.notes
    assert 300 in [s.pause_after_ms for c in script.chapters for b in c.blocks for s in b.spans]


def test_tables_can_be_skipped(tmp_path: Path) -> None:
    book = tmp_path / "b.md"
    book.write_text(RICH)
    script = read(book, tables="skip")
    assert "Skipped 1 footnote and 1 table." in script.notes
    assert "Ann" not in str(told(script))


WORD = st.from_regex(r"[a-z]{1,9}", fullmatch=True)


@pytest.mark.parametrize("source_format", ["epub", "docx", "odt", "html", "fb2", "rst"])
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(paragraphs=st.lists(st.lists(WORD, min_size=1, max_size=12), min_size=1, max_size=5))
def test_the_same_words_come_out_in_order(
    tmp_path: Path, source_format: str, paragraphs: list[list[str]]
) -> None:
    sentences = [f"Then {' '.join(words)}." for words in paragraphs]
    path = written(tmp_path / f"b.{source_format}", "\n\n".join(sentences), source_format)
    blocks = [b.text for c in read(path).chapters for b in c.blocks]
    assert [text for text in blocks if text not in ("T", "")] == sentences


def test_markup_that_is_not_read_aloud_stays_silent(tmp_path: Path) -> None:
    path = tmp_path / "b.html"
    path.write_text(
        "<html lang=fr><title>Mon livre</title><style>x</style><script>y</script><nav>Menu</nav>"
        "<p>漢<ruby>字<rt>じ</rt></ruby> a&shy;b<p hidden>no</p><p>un<br>deux<hr><p>trois"
    )
    script = read(path, language="fr")
    assert told(script) == [("Mon livre", ["漢字 ab", "un deux", "trois"])]


def test_yaml_titles_markdown_but_a_rule_does_not(tmp_path: Path) -> None:
    book = tmp_path / "b.md"
    book.write_text(
        "---\ntitle: My *Book*\nauthor: Jo\nlang: de\n---\n\nEins.\n\n---\n\n"
        "Zwei: drei.\n\n---\n\nVier."
    )
    script = read(book)
    assert (script.title, script.author, script.language) == ("My Book", "Jo", "de")
    assert told(script)[0][1] == ["Eins.", "Zwei: drei.", "Vier."]


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.remedy
    return caught.value


ONE = {"one.xhtml": page("<p>Text.</p>")}
TOC = [("One", "one.xhtml")]


@pytest.mark.parametrize(
    "extra",
    [
        {"META-INF/encryption.xml": '<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'},
        {"META-INF/rights.xml": "<rights/>"},
        {"META-INF/sinf.xml": "<sinf/>"},
        {"META-INF/license.lcpl": "{}"},
    ],
)  # fmt: skip
def test_a_locked_book_is_refused(tmp_path: Path, extra: dict[str, str | bytes]) -> None:
    assert "DRM" in refusal(epub(tmp_path / "b.epub", ONE, TOC, extra=extra)).problem


def test_obfuscated_fonts_are_no_lock(tmp_path: Path) -> None:
    method = '<EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'
    book = epub(tmp_path / "b.epub", ONE, TOC, extra={"META-INF/encryption.xml": method})
    assert told(read(book)) == [("One", ["One", "Text."])]


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../b", "..\\evil", "C:\\evil"])
def test_paths_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    error = refusal(epub(tmp_path / "b.epub", ONE, TOC, extra={name: "x"}))
    assert "outside" in error.problem


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    bomb: dict[str, str | bytes] = {"OPS/big.xhtml": bytes(30_000_000)}
    assert "bomb" in refusal(epub(tmp_path / "a.epub", ONE, TOC, extra=bomb)).problem
    many: dict[str, str | bytes] = {f"f{n}": b"" for n in range(20_001)}
    assert "more than" in refusal(epub(tmp_path / "b.epub", ONE, TOC, extra=many)).problem
    nested: dict[str, str | bytes] = {"inner.zip": b"PK"}
    assert "inside" in refusal(epub(tmp_path / "c.epub", ONE, TOC, extra=nested)).problem


def test_xml_entities_are_refused(tmp_path: Path) -> None:
    lol = '<!DOCTYPE c [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><container>&b;</container>'
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("META-INF/container.xml", lol)
    assert "entities" in refusal(path).problem


def test_a_cut_or_damaged_archive_is_refused(tmp_path: Path) -> None:
    whole = epub(tmp_path / "b.epub", ONE, TOC).read_bytes()
    (tmp_path / "cut.epub").write_bytes(whole[: len(whole) // 2])
    assert "broken" in refusal(tmp_path / "cut.epub").problem
    at = whole.index(b"one.xhtml") + 20
    (tmp_path / "bad.epub").write_bytes(whole[:at] + bytes(20) + whole[at + 20 :])
    assert refusal(tmp_path / "bad.epub").place == "OPS/one.xhtml"


def test_a_document_under_another_name_is_refused_with_the_right_one(tmp_path: Path) -> None:
    written(tmp_path / "b.docx", "Text.", "docx").rename(tmp_path / "b.epub")
    assert "b.docx" in refusal(tmp_path / "b.epub").remedy


def test_a_zip_that_is_no_book_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.epub", "w") as archive:
        archive.writestr("a.txt", "x")
    assert "not a book" in refusal(tmp_path / "b.epub").problem


def test_a_megabyte_book_is_read_whole(tmp_path: Path) -> None:
    body = "".join(
        f"<p>Paragraph {n} goes on and on for quite a while here.</p>" for n in range(400)
    )
    pages = {f"c{n}.xhtml": page(f"<h1>Chapter {n}</h1>{body}") for n in range(50)}
    book = epub(tmp_path / "b.epub", pages, [(f"Chapter {n}", f"c{n}.xhtml") for n in range(50)])
    script = read(book)
    assert [len(chapter.blocks) for chapter in script.chapters] == [401] * 50


def test_the_title_of_an_exported_google_document_is_found(tmp_path: Path) -> None:
    path = tmp_path / "export.html"
    path.write_text(
        '<html><body class="doc-content"><p class="c2 title"><span>My Great Novel</span></p>'
        "<h1><span>Chapter 1</span></h1><p><span>It was&nbsp;</span><span>dark.</span>"
        '<sup><a href="#ftnt1" id="ftnt_ref1">[1]</a></sup></p><hr><div><p>'
        '<a href="#ftnt_ref1" id="ftnt1">[1]</a><span>&nbsp;A footnote.</span></p></div>'
    )
    script = read(path)
    assert script.title == "My Great Novel"
    assert told(script) == [("Chapter 1", ["Chapter 1", "It was dark."])]
    assert script.notes == ("Skipped the title page.", "Skipped 1 footnote.")


def test_words_that_look_like_pandocs_own_are_read_as_they_are(tmp_path: Path) -> None:
    """The syntax tree is JSON: what looks like it in a text must not be taken for it."""
    text = 'Space Str "},{"t":"Space"},{"t":"Str","c":" and *so* on\nnow "Space" c.'
    path = tmp_path / "b.md"
    path.write_text(text.replace("*so*", "`so`"))
    assert told(read(path)) == [("b", [text.replace("*so*", "so").replace("\n", " ")])]
