"""The table of contents of an EPUB: titles, levels and targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pipeline.errors import InputError
from pipeline.reading import archive, metadata
from pipeline.reading import text as texts
from pipeline.reading.metadata import local
from pipeline.reading.package import Package, resolve

#: No book has parts within parts as deep as this.
MAX_LEVEL = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the contents."""

    title: str
    level: int
    #: Archive name of the document, and the anchor in it ("" for its beginning).
    document: str
    fragment: str


def lines(package: Package) -> list[Line]:
    """Return the contents: from EPUB 3 navigation, else from the EPUB 2 one, else nothing."""
    for name, reader in ((package.nav, _nav), (package.ncx, _ncx)):
        if name:
            data = archive.read(package.archive, name, package.path)
            try:
                root = metadata.parse(data, package.path, name)
            except InputError:
                # Named HTML entities, mostly. The headings of the text will do instead.
                continue
            found = [line for line in reader(root, name) if line.title]
            if found:
                return found
    return []


def _nav(root: Element, name: str) -> Iterator[Line]:
    for nav in root.iter():
        kinds = " ".join(value for key, value in nav.attrib.items() if key.endswith("type"))
        if local(nav) == "nav" and (not kinds or "toc" in kinds.split()):
            for child in nav:
                if local(child) == "ol":
                    yield from _nav_list(child, name, 1)
            return


def _nav_list(items: Element, name: str, level: int) -> Iterator[Line]:
    for item in items:
        for child in item:
            if local(child) == "a" and child.get("href"):
                title = texts.clean("".join(child.itertext()))
                yield Line(title, level, *resolve(name, child.get("href", "")))
            elif local(child) == "ol" and level < MAX_LEVEL:
                yield from _nav_list(child, name, level + 1)


def _ncx(root: Element, name: str) -> Iterator[Line]:
    for node in root.iter():
        if local(node) == "navMap":
            yield from _ncx_points(node, name, 1)


def _ncx_points(parent: Element, name: str, level: int) -> Iterator[Line]:
    for point in parent:
        if local(point) != "navPoint":
            continue
        title = metadata.first_text(point, "text") or ""
        content = next((node for node in point if local(node) == "content"), None)
        label = next((node for node in point if local(node) == "navLabel"), None)
        title = texts.clean("".join(label.itertext())) if label is not None else title
        if content is not None:
            yield Line(title, level, *resolve(name, content.get("src", "")))
        if level < MAX_LEVEL:
            yield from _ncx_points(point, name, level + 1)
