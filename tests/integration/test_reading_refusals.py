"""Hostile and awkward files through the real readers: a clear error, or the right words."""

from __future__ import annotations

import base64
import stat
import zipfile
from pathlib import Path

import pypandoc
import pytest

from pipeline.errors import InputError
from pipeline.manifest.script import Script
from pipeline.reading import pandoc
from pipeline.reading.read import ReadOptions, read_script

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf"/></rootfiles></container>'
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def epub(path: Path, pages: dict[str, str], *, spine: str, nav: str = "") -> Path:
    """Write an EPUB 3 with these bodies, this spine and these list items as navigation."""
    items = "".join(f'<item id="{name}" href="{name}.xhtml"/>' for name in pages)
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>The Sea</dc:title><dc:language>en</dc:language></metadata>"
        f'<manifest>{items}<item id="nav" href="nav.xhtml" properties="nav"/></manifest>'
        f"<spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book.opf", opf)
        book.writestr("nav.xhtml", f"<html><body><nav><ol>{nav}</ol></nav></body></html>")
        for name, body in pages.items():
            book.writestr(f"{name}.xhtml", f"<html><body>{body}</body></html>")
    return path


def read(path: Path, **options: object) -> Script:
    return read_script(path, ReadOptions(**options))  # type: ignore[arg-type]


def told(script: Script) -> list[tuple[str, list[str]]]:
    """Title and spoken blocks of each chapter."""
    return [(c.title, [b.text for b in c.blocks if b.text]) for c in script.chapters]


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.remedy
    assert path.name in str(caught.value)
    return caught.value


def fb2(body: str, *, head: str = "", tail: str = "", encoding: str = "utf-8") -> bytes:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        '<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"'
        ' xmlns:l="http://www.w3.org/1999/xlink"><description><title-info>'
        f"<book-title>Море</book-title>{head}<lang>ru</lang></title-info></description>"
        f"<body>{body}</body>{tail}</FictionBook>"
    ).encode(encoding)


def test_fb2_in_windows_1251_is_read_with_its_cover(tmp_path: Path) -> None:
    path = tmp_path / "b.fb2"
    picture = base64.b64encode(PNG).decode()
    path.write_bytes(
        fb2(
            "<section><title><p>Глава 1</p></title><p>Шёл дождь.</p><empty-line/>"
            "<subtitle>* * *</subtitle><p>Он перестал.</p></section>",
            head='<coverpage><image l:href="#c.png"/></coverpage>',
            tail=f'<binary id="c.png" content-type="image/png">{picture}</binary>',
            encoding="windows-1251",
        )
    )
    script = read(path)
    assert told(script)[-1] == ("Глава 1", ["Глава 1", "Шёл дождь.", "Он перестал."])
    kinds = [block.kind for block in script.chapters[-1].blocks]
    assert kinds == ["heading", "paragraph", "scene_break", "paragraph"]
    assert script.cover is not None
    assert (script.title, script.cover.data) == ("Море", PNG)


LICENCE = '<section class="pg-boilerplate"><p>This eBook is for anyone anywhere.</p></section>'


def test_the_gutenberg_licence_in_html_and_epub_is_skipped(tmp_path: Path) -> None:
    body = f"{LICENCE}<h1>One</h1><p>It rained.</p>{LICENCE}"
    page = tmp_path / "b.html"
    page.write_text(f"<html><title>The Sea</title><body>{body}</body></html>")
    book = epub(tmp_path / "b.epub", {"one": body}, spine='<itemref idref="one"/>')
    for script in (read(page), read(book)):
        assert told(script) == [("One", ["One", "It rained."])]
        assert script.notes == ("Skipped the Project Gutenberg licence.",)


def test_chapters_come_from_the_right_level_of_a_nested_contents(tmp_path: Path) -> None:
    pages = {
        "p1": "<h1>Part One</h1>",
        "c1": "<h2>Chapter 1</h2><p>A.</p><h3 id='s'>Section</h3><p>B.</p>",
        "p2": "<h1>Part Two</h1>",
        "c2": "<h2>Chapter 2</h2><p>C.</p>",
    }
    nav = (
        '<li><a href="p1.xhtml">Part One</a><ol><li><a href="c1.xhtml">Chapter 1</a>'
        '<ol><li><a href="c1.xhtml#s">Section</a></li></ol></li></ol></li>'
        '<li><a href="p2.xhtml">Part Two</a><ol><li><a href="c2.xhtml">Chapter 2</a></li></ol></li>'
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in pages)
    assert told(read(epub(tmp_path / "b.epub", pages, spine=spine, nav=nav))) == [
        ("Chapter 1", ["Part One", "Chapter 1", "A.", "Section", "B."]),
        ("Chapter 2", ["Part Two", "Chapter 2", "C."]),
    ]


def test_pages_outside_the_reading_order_are_skipped_with_a_note(tmp_path: Path) -> None:
    pages = {"one": "<h1>One</h1><p>Text.</p>", "answers": "<p>The answer is no.</p>"}
    spine = '<itemref idref="one"/><itemref idref="answers" linear="no"/>'
    script = read(epub(tmp_path / "b.epub", pages, spine=spine))
    assert told(script) == [("One", ["One", "Text."])]
    assert script.notes == ("Skipped the pages outside the reading order.",)


ONE = {"one": "<p>Text.</p>"}
SPINE = '<itemref idref="one"/>'


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(epub(tmp_path / "b.epub", ONE, spine=SPINE).read_bytes())
    for signature, at_flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature)
        data[at + at_flags] |= 1
    (tmp_path / "b.epub").write_bytes(data)
    error = refusal(tmp_path / "b.epub")
    assert "password" in error.problem
    assert error.place == "META-INF/container.xml"


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = epub(tmp_path / "b.epub", ONE, spine=SPINE)
    link = zipfile.ZipInfo("notes.xhtml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as book:
        book.writestr(link, "/etc/passwd")
    error = refusal(path)
    assert "outside" in error.problem
    assert error.place == "notes.xhtml"


DEEP = 20_000


@pytest.mark.parametrize("name", ["b.html", "b.md", "b.epub"])
def test_parts_nested_too_deeply_are_refused(tmp_path: Path, name: str) -> None:
    path, nested = tmp_path / name, "<div>" * DEEP + "Text."
    if name == "b.epub":
        epub(path, {"one": nested}, spine=SPINE)
    else:
        path.write_text(f"<html>{nested}" if name == "b.html" else "> " * 1500 + "Text.")
    assert "nested too deeply" in refusal(path).problem


def test_a_contents_nested_too_deeply_leaves_the_book_readable(tmp_path: Path) -> None:
    nav = "<li><ol>" * DEEP + "</ol></li>" * DEEP
    script = read(epub(tmp_path / "b.epub", ONE, spine=SPINE, nav=nav))
    assert told(script) == [("The Sea", ["Text."])]


def test_a_reader_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    slow = tmp_path / "pandoc"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    limits = pandoc.Limits(time_s=0.2)
    with pytest.raises(InputError, match=r"more than 0\.2 s") as caught:
        pandoc.parse(b"Text.", "markdown", Path("b.md"), limits=limits, program=str(slow))
    assert caught.value.remedy


def test_a_reader_that_needs_too_much_memory_is_stopped() -> None:
    text = b"<p>Rain on the sea.</p>\n" * 50_000
    with pytest.raises(InputError, match="more than 60 MB of memory") as caught:
        pandoc.parse(text, "html", Path("b.html"), limits=pandoc.Limits(memory_mb=60))
    assert "Split it" in caught.value.remedy


def test_a_line_between_scenes_of_an_odt_is_a_scene_break(tmp_path: Path) -> None:
    plain, ruled = tmp_path / "plain.odt", tmp_path / "ruled.odt"
    command = "Before.\n\nRULE\n\nAfter."
    pypandoc.convert_text(command, "odt", "markdown", outputfile=str(plain))
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(ruled, "w") as target:
        for name in source.namelist():
            member = source.read(name)
            if name == "content.xml":
                at, end = member.index(b"<text:p", member.index(b"Before.")), b"RULE</text:p>"
                line = b'<text:p text:style-name="Horizontal_20_Line"/>'
                member = member[:at] + line + member[member.index(end) + len(end) :]
            target.writestr(name, member)
    kinds = [block.kind for block in read(ruled).chapters[0].blocks]
    assert kinds == ["paragraph", "scene_break", "paragraph"]


def test_a_page_larger_than_a_batch_is_read_whole(tmp_path: Path) -> None:
    long = "<p>" + "Rain on the sea. " * 30_000 + "</p>"
    pages = {"one": long, "two": "<h1>Two</h1><p>Text.</p>"}
    spine = '<itemref idref="one"/><itemref idref="two"/>'
    script = read(epub(tmp_path / "b.epub", pages, spine=spine))
    words = [len(block.text.split()) for chapter in script.chapters for block in chapter.blocks]
    assert words == [120_000, 1, 1]
