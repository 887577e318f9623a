"""What DOCX, ODT and FB2 files say of themselves."""

from __future__ import annotations

import base64
import binascii
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipeline.errors import InputError
from pipeline.manifest.script import Cover
from pipeline.reading import archive
from pipeline.reading import text as texts
from pipeline.reading.draft import About

_MEMBERS = {"docx": "docProps/core.xml", "odt": "meta.xml"}


def of_archive(opened: zipfile.ZipFile, source_format: str, path: Path) -> About:
    """Return what a DOCX or ODT says of itself."""
    name = _MEMBERS[source_format]
    if name not in opened.namelist():
        return About()
    root = parse(archive.read(opened, name, path), path, name)
    author = first_text(root, "creator") or first_text(root, "initial-creator")
    return About(first_text(root, "title"), author, first_text(root, "language"))


def of_fb2(data: bytes, path: Path) -> About:
    """Return what an FB2 says of itself."""
    root = parse(data, path, None)
    info = next((node for node in root.iter() if local(node) == "title-info"), None)
    if info is None:
        return About()
    authors = [_person(node) for node in info if local(node) == "author"]
    return About(
        title=first_text(info, "book-title"),
        author=", ".join(name for name in authors if name) or None,
        language=first_text(info, "lang"),
        cover=_fb2_cover(root),
    )


def parse(data: bytes, path: Path, place: str | None) -> Element:
    """Parse XML from a stranger.

    Raises:
        InputError: It is no XML, or a bomb.
    """
    try:
        root: Element = fromstring(data, forbid_dtd=False)
        return root
    except DefusedXmlException as error:
        problem = "Its XML defines entities, as only a bomb does."
        remedy = "Do not trust this file; get it again from where it came."
        raise InputError(path, problem, place=place, remedy=remedy) from error
    except (ParseError, ValueError, LookupError) as error:
        problem, remedy = f"Its XML is broken ({error}).", "Download or export the file again."
        raise InputError(path, problem, place=place, remedy=remedy) from error


def local(node: Element) -> str:
    """Return a tag without its name space."""
    return str(node.tag).rsplit("}", 1)[-1]


def first_text(root: Element, name: str) -> str | None:
    """Return the text of the first element of that name, if it has any."""
    for node in root.iter():
        if local(node) == name and texts.clean("".join(node.itertext())):
            return texts.clean("".join(node.itertext()))
    return None


def picture(data: bytes) -> Cover | None:
    """Return a cover, if the bytes are a picture that audio files can carry."""
    if data.startswith(b"\xff\xd8\xff"):
        return Cover(media_type="image/jpeg", data=data)
    return Cover(media_type="image/png", data=data) if data.startswith(b"\x89PNG") else None


def _person(node: Element) -> str:
    names = (first_text(node, part) for part in ("first-name", "middle-name", "last-name"))
    return " ".join(name for name in names if name) or first_text(node, "nickname") or ""


def _fb2_cover(root: Element) -> Cover | None:
    page = next((node for node in root.iter() if local(node) == "coverpage"), None)
    links = [] if page is None else [link for node in page.iter() for link in node.attrib.values()]
    for node in root.iter():
        if local(node) == "binary" and f"#{node.get('id')}" in links:
            try:
                return picture(base64.b64decode("".join((node.text or "").split())))
            except binascii.Error:
                return None
    return None
