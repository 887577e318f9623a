"""What a file really is: decided from its bytes, and held against its name."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from pipeline.errors import InputError
from pipeline.reading import archive

#: File extension → format, as stored in `Source.format`.
FORMATS = {
    ".txt": "text", ".text": "text", ".md": "markdown", ".markdown": "markdown",
    ".epub": "epub", ".docx": "docx", ".odt": "odt", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".fb2": "fb2", ".rst": "rst", ".srt": "srt", ".vtt": "vtt",
}  # fmt: skip
ZIPPED = frozenset({"epub", "docx", "odt"})
_EXTENSION = {"text": ".txt", "markdown": ".md"}
_SUPPORTED = "txt, md, epub, docx, odt, html, fb2, rst, srt, vtt"

#: Signature → (what it is, remedy) of what is never read.
_FOREIGN = (
    (rb"%PDF", "a PDF", "Export the text from its source as EPUB or DOCX, or convert it first."),
    (rb"\xd0\xcf\x11\xe0", "an old or a locked Office file", "Save it as DOCX without a password."),
    (rb"\{\\rtf", "an RTF file", "Save it as DOCX or ODT."),
    (rb".{60}(BOOKMOBI|TEXtREAd)", "a Kindle book", "Convert it to EPUB, for example in Calibre."),
    (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh", "an archive", "Unpack it and give the book inside."),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", "a picture", "Give the text itself."),
    (rb"ID3|RIFF|OggS|fLaC|.{4}ftyp", "a sound or video file", "Give the text itself."),
    (rb"\x7fELF|MZ\x90", "a program", "Give the text itself."),
)  # fmt: skip


def sniff(path: Path, data: bytes) -> str:
    """Return the format of a file.

    Raises:
        InputError: It is not what its name says, or not a format that is read.
    """
    for signature, what, remedy in _FOREIGN:
        if re.match(signature, data, re.DOTALL):
            raise InputError(path, f"This is {what}, which is not read.", remedy=remedy)
    named = FORMATS.get(path.suffix.lower())
    found = _zipped(path, data) if data.startswith(b"PK") else _markup(data)
    if named is None:
        remedy = f"Give one of: {_SUPPORTED}."
        raise InputError(
            path, f"Files named {path.suffix or 'without ending'} are not read.", remedy=remedy
        )
    if found is None and named in ZIPPED:
        raise archive.broken(path, f"it does not hold what makes it {named.upper()}")
    if not _agree(named, found, data):
        raise _misnamed(path, named, found)
    return named


def _agree(named: str, found: str | None, data: bytes) -> bool:
    if found in ZIPPED or found == "fb2":
        return named == found
    if found == "html":
        return named in ("html", "markdown", "rst")
    if named == "vtt":
        return found == "vtt"
    if named == "srt":
        return b"-->" in data.replace(b"\0", b"") or not data.strip()
    return named not in ("fb2",) and found != "vtt"


def _misnamed(path: Path, named: str, found: str | None) -> InputError:
    if found is None:
        problem = f"This is not {named.upper()}, though its name says so."
        return InputError(path, problem, remedy="Rename it to what it is, for example .txt.")
    ending = _EXTENSION.get(found, f".{found}")
    problem = f"This is {found.upper()}, though its name says {path.suffix}."
    return InputError(path, problem, remedy=f"Rename it to {path.stem}{ending}.")


def _markup(data: bytes) -> str | None:
    head = data[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if head.startswith(b"webvtt"):
        return "vtt"
    if b"<fictionbook" in head:
        return "fb2"
    head = re.sub(rb"^<\?xml[^>]*>\s*|<!--.*?-->\s*", b"", head, flags=re.DOTALL)
    return "html" if head.startswith((b"<!doctype html", b"<html")) else None


def _zipped(path: Path, data: bytes) -> str | None:
    with archive.open_checked(path, data) as opened:
        names = set(opened.namelist())
        kind = _kind_of_zip(opened, names)
    if kind is None:
        problem = "This is a zip archive, but not a book that is read."
        raise InputError(path, problem, remedy="Unpack it and give the text inside.")
    return kind


def _kind_of_zip(opened: zipfile.ZipFile, names: set[str]) -> str | None:
    if "META-INF/container.xml" in names:
        return "epub"
    if "word/document.xml" in names:
        return "docx"
    try:
        mimetype = opened.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError):
        mimetype = b""
    if b"epub" in mimetype:
        return "epub"
    return "odt" if b"opendocument.text" in mimetype and "content.xml" in names else None
