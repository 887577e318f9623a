"""The package of an EPUB: its documents in reading order, and what it says of itself."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from pipeline.errors import InputError
from pipeline.manifest.script import Cover
from pipeline.reading import archive, metadata
from pipeline.reading.draft import About
from pipeline.reading.metadata import first_text, local

_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_LOCKS = {
    "META-INF/license.lcpl": "Readium LCP",
    "META-INF/sinf.xml": "Apple FairPlay",
    "META-INF/rights.xml": "Adobe ADEPT",
}


@dataclass(frozen=True, slots=True)
class Package:
    """An opened EPUB."""

    archive: zipfile.ZipFile
    path: Path
    about: About
    #: Archive names of the text documents, in reading order.
    documents: tuple[str, ...]
    #: Archive name → EPUB types that the package itself gives.
    kinds: dict[str, frozenset[str]]
    #: Archive names of the EPUB 3 navigation document and the EPUB 2 table of contents.
    nav: str | None
    ncx: str | None


def open_package(path: Path, data: bytes) -> Package:
    """Open an EPUB.

    Raises:
        InputError: It is broken, unsafe or locked by DRM.
    """
    opened = archive.open_checked(path, data)
    _refuse_locked(opened, path)
    container = metadata.parse(_read(opened, "META-INF/container.xml", path), path, "container.xml")
    rootfile = next((node for node in container.iter() if local(node) == "rootfile"), None)
    name = rootfile.get("full-path", "") if rootfile is not None else ""
    opf = metadata.parse(_read(opened, name, path), path, name)
    return _package(opened, path, name, opf)


def resolve(base: str, href: str) -> tuple[str, str]:
    """Return the archive name and the fragment that a link in `base` points to."""
    target, _, fragment = href.partition("#")
    folder = posixpath.dirname(base)
    name = posixpath.normpath(posixpath.join(folder, unquote(target))) if target else base
    return name, unquote(fragment)


def _read(opened: zipfile.ZipFile, name: str, path: Path) -> bytes:
    return archive.read(opened, name, path)


def _package(opened: zipfile.ZipFile, path: Path, name: str, opf: Element) -> Package:
    items = {node.get("id", ""): node for node in opf.iter() if local(node) == "item"}
    hrefs = {key: resolve(name, node.get("href", ""))[0] for key, node in items.items()}
    spine = [node for node in opf.iter() if local(node) == "itemref"]
    present = set(opened.namelist())
    documents = [hrefs[key] for node in spine if (key := node.get("idref", "")) in hrefs]
    missing = [document for document in documents if document not in present]
    if missing:
        raise archive.broken(path, "a document of its reading order is missing", missing[0])
    nav = next(
        (hrefs[k] for k, n in items.items() if "nav" in n.get("properties", "").split()), None
    )
    ncx = next((hrefs[k] for k, n in items.items() if "dtbncx" in n.get("media-type", "")), None)
    return Package(
        archive=opened,
        path=path,
        about=_about(opf, opened, items, hrefs, path),
        documents=tuple(dict.fromkeys(document for document in documents)),
        kinds=_kinds(opf, name, spine, hrefs),
        nav=nav if nav in present else None,
        ncx=ncx if ncx in present else None,
    )


def _kinds(
    opf: Element, name: str, spine: list[Element], hrefs: dict[str, str]
) -> dict[str, frozenset[str]]:
    kinds: dict[str, frozenset[str]] = {}
    for node in opf.iter():
        if local(node) == "reference" and node.get("type") != "text":
            target, fragment = resolve(name, node.get("href", ""))
            if not fragment:
                kinds[target] = kinds.get(target, frozenset()) | {node.get("type", "").lower()}
    for node in spine:
        if node.get("linear") == "no":
            target = hrefs.get(node.get("idref", ""), "")
            kinds[target] = kinds.get(target, frozenset()) | {"non-linear"}
    return kinds


def _about(
    opf: Element,
    opened: zipfile.ZipFile,
    items: dict[str, Element],
    hrefs: dict[str, str],
    path: Path,
) -> About:
    found = next((node for node in opf.iter() if local(node) == "metadata"), opf)
    return About(
        title=first_text(found, "title"),
        author=_authors(found),
        language=first_text(found, "language"),
        cover=_cover(found, opened, items, hrefs, path),
    )


def _authors(found: Element) -> str | None:
    roles = {
        node.get("refines", "").lstrip("#"): (node.text or "").strip()
        for node in found
        if node.get("property") == "role"
    }
    names = []
    for node in found:
        role = next((v for k, v in node.attrib.items() if k.endswith("role")), None)
        role = role or roles.get(node.get("id", ""), "aut")
        if local(node) == "creator" and role == "aut" and (node.text or "").strip():
            names.append(" ".join((node.text or "").split()))
    return ", ".join(names) or None


def _cover(
    found: Element,
    opened: zipfile.ZipFile,
    items: dict[str, Element],
    hrefs: dict[str, str],
    path: Path,
) -> Cover | None:
    named = next((n.get("content", "") for n in found if n.get("name") == "cover"), "")
    for key, node in items.items():
        is_cover = "cover-image" in node.get("properties", "").split() or key == named
        if is_cover and hrefs[key] in opened.namelist():
            return metadata.picture(archive.read(opened, hrefs[key], path))
    return None


def _refuse_locked(opened: zipfile.ZipFile, path: Path) -> None:
    names = set(opened.namelist())
    lock = next((what for name, what in _LOCKS.items() if name in names), None)
    if lock is None and "META-INF/encryption.xml" in names:
        text = archive.read(opened, "META-INF/encryption.xml", path).decode(errors="replace")
        methods = re.findall(r"EncryptionMethod[^>]*Algorithm\s*=\s*[\"']([^\"']+)", text)
        lock = next(("encryption" for one in methods if one not in _FONT_OBFUSCATION), None)
    if lock:
        problem = f"The book is protected by DRM ({lock})."
        remedy = "Get a copy without DRM from the shop or the publisher."
        raise InputError(path, problem, place="META-INF", remedy=remedy)
