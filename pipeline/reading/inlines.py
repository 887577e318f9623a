"""Pandoc's inline elements as text: everything that sounds, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Inline = dict[str, Any]
_REFERENCE = re.compile(r"[\[(]?\s*(?:\d{1,4}|[a-z]|[ivx]{1,5}|[*†‡§¶]+)\s*[\])]?")
_SILENT_CLASSES = frozenset({"pagebreak", "page-break", "pagenum"})
_PLAIN = frozenset({"Emph", "Strong", "Underline", "Strikeout", "Subscript", "SmallCaps"})


@dataclass(slots=True)
class Gathered:
    """What a run of inlines amounts to; filled while walking it."""

    text: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    #: Bodies of footnotes, as pandoc blocks.
    footnotes: list[list[Inline]] = field(default_factory=list)
    #: Link targets that stand as footnote numbers.
    references: list[str] = field(default_factory=list)
    n_linked: int = 0
    n_formulas: int = 0

    def joined(self) -> str:
        """Return the text."""
        return "".join(self.text)


def gather(inlines: list[Inline]) -> Gathered:
    """Walk inlines once and return what they amount to."""
    found = Gathered()
    _walk(inlines, found, raised=False)
    return found


def plain(inlines: list[Inline]) -> str:
    """Return only the text of inlines."""
    return gather(inlines).joined()


def is_silent(attributes: list[Any]) -> bool:
    """Tell page numbers and the like by their attributes."""
    _, classes, pairs = attributes
    kinds = dict(pairs).get("epub:type", "") + " " + dict(pairs).get("role", "")
    return bool(_SILENT_CLASSES & set(classes)) or "pagebreak" in kinds


def _walk(inlines: list[Inline], found: Gathered, *, raised: bool) -> None:
    for inline in inlines:
        _step(inline["t"], inline.get("c"), found, raised)


def _step(kind: str, content: Any, found: Gathered, raised: bool) -> None:
    if kind == "Str":
        found.text.append(content)
    elif kind == "Space":
        found.text.append(" ")
    elif kind in ("SoftBreak", "LineBreak"):
        found.text.append("\n")
    elif kind in _PLAIN:
        _walk(content, found, raised=raised)
    elif kind == "Superscript":
        _walk(content, found, raised=True)
    elif kind == "Note":
        found.footnotes.append(content)
    else:
        _rarer_step(kind, content, found, raised)


def _rarer_step(kind: str, content: Any, found: Gathered, raised: bool) -> None:
    if kind == "Quoted":
        left, right = ("‘", "’") if content[0]["t"] == "SingleQuote" else ("“", "”")
        found.text.append(left)
        _walk(content[1], found, raised=raised)
        found.text.append(right)
    elif kind == "Code":
        found.text.append(content[1])
    elif kind == "Math":
        found.n_formulas += 1
        found.text.append(content[1])
    elif kind == "Cite":
        _walk(content[1], found, raised=raised)
    elif kind == "Span":
        _span(content, found, raised)
    elif kind == "Link":
        _link(content, found, raised)


def _span(content: Any, found: Gathered, raised: bool) -> None:
    attributes, inner = content
    if attributes[0]:
        found.anchors.append(attributes[0])
    if not is_silent(attributes):
        _walk(inner, found, raised=raised)


def _link(content: Any, found: Gathered, raised: bool) -> None:
    attributes, inner, (url, _) = content
    if attributes[0]:
        found.anchors.append(attributes[0])
    label = gather(inner)
    raised = raised or any(one["t"] == "Superscript" for one in inner)
    kinds = " ".join([*attributes[1], *(value for _, value in attributes[2])])
    is_note = raised or "noteref" in kinds
    if "backlink" in kinds or label.joined().strip("\ufe0e\ufe0f ") in ("↩", "↑", "^"):
        return
    if url.startswith("#") and is_note and _REFERENCE.fullmatch(label.joined().strip()):
        found.references.append(url[1:])
        found.anchors += label.anchors
        return
    _walk(inner, found, raised=False)
    found.n_linked += len(label.joined()) if url.startswith("#") else 0
