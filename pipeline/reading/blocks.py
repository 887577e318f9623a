"""Pandoc's blocks as parts, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.reading import inlines, language
from pipeline.reading import text as texts
from pipeline.reading.draft import Part
from pipeline.reading.numbering import marker

Block = dict[str, Any]
#: A footnote is short; whatever is longer is part of the text.
MAX_FOOTNOTE_CHARS = 5000


@dataclass(slots=True)
class Flattened:
    """The parts of a tree, and a count of what was left out."""

    parts: list[Part] = field(default_factory=list)
    n_footnotes: int = 0
    n_tables: int = 0
    n_formulas: int = 0


class Flattener:
    """Walks a tree once. What is pending (anchors, language) belongs to the next part."""

    def __init__(self, *, speak_footnotes: bool, speak_tables: bool) -> None:
        self._speak_footnotes, self._speak_tables = speak_footnotes, speak_tables
        self._out = Flattened()
        self._anchors: list[str] = []
        self._language: str | None = None
        self._is_prose = True
        self._document, self._file, self._number = 0, "", 0
        #: Footnote bodies that lie elsewhere in the text, by their anchor.
        self._bodies: dict[str, Block] = {}

    def flatten(self, blocks: list[Block]) -> Flattened:
        """Return the parts of a list of blocks."""
        wanted = set(_references(blocks))
        self._bodies = dict(_bodies(blocks, wanted))
        self._walk(blocks)
        return self._out

    def _walk(self, blocks: list[Block]) -> None:
        for block in blocks:
            if any(block is body for body in self._bodies.values()):
                continue
            handler = getattr(self, f"_{block['t'].lower()}", None)
            if handler:
                handler(block.get("c"))

    def _emit(self, part: Part) -> None:
        self._number += 1
        place = f"paragraph {self._number}"
        self._out.parts.append(
            replace(
                part,
                place=f"{self._file}, {place}" if self._file else place,
                anchors=(*self._anchors, *part.anchors),
                language=self._language,
                is_prose=self._is_prose and part.is_prose,
                document=self._document,
            )
        )
        self._anchors = []

    def _text(self, content: list[Any], *, level: int = 0) -> None:
        found = inlines.gather(content)
        self._out.n_formulas += found.n_formulas
        text = found.joined()
        self._anchors += found.anchors
        if texts.is_scene_break(text):
            self._emit(Part("scene_break"))
        elif texts.clean(text):
            kind = "heading" if level else "paragraph"
            self._emit(Part(kind, text, level=level, n_linked=found.n_linked))  # type: ignore[arg-type]
        self._footnotes(found)

    def _footnotes(self, found: inlines.Gathered) -> None:
        bodies = [*found.footnotes]
        bodies += [[self._bodies[name]] for name in found.references if name in self._bodies]
        self._out.n_footnotes += len(bodies)
        if self._speak_footnotes:
            kept, self._bodies = self._bodies, {}
            for body in bodies:
                self._walk(body)
            self._bodies = kept

    def _para(self, content: Any) -> None:
        self._text(content)

    _plain = _para

    def _header(self, content: Any) -> None:
        level, (name, _, _), inner = content
        self._anchors += [name] if name else []
        self._text(inner, level=level)

    def _horizontalrule(self, _: Any) -> None:
        self._emit(Part("scene_break"))

    def _lineblock(self, lines: Any) -> None:
        broken: list[Any] = []
        for line in lines:
            broken += [*line, {"t": "LineBreak"}]
        self._text(broken)

    def _codeblock(self, content: Any) -> None:
        (name, _, _), text = content
        self._anchors += [name] if name else []
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                self._emit(Part("paragraph", paragraph, is_prose=False))

    def _blockquote(self, content: Any) -> None:
        self._walk(content)

    def _bulletlist(self, items: Any) -> None:
        for item in items:
            self._item(item, "")

    def _orderedlist(self, content: Any) -> None:
        (start, style, delimiter), items = content
        for number, item in enumerate(items, start=start):
            self._item(item, marker(number, style["t"], delimiter["t"]))

    def _item(self, blocks: list[Block], mark: str) -> None:
        kept, self._is_prose = self._is_prose, False
        first = len(self._out.parts)
        self._walk(blocks)
        if mark and len(self._out.parts) == first:
            self._emit(Part("paragraph", mark))
        elif mark:
            part = self._out.parts[first]
            self._out.parts[first] = replace(part, text=f"{mark} {part.text}")
        self._is_prose = kept

    def _definitionlist(self, items: Any) -> None:
        for term, definitions in items:
            self._text(term)
            for definition in definitions:
                self._item(definition, "")

    def _figure(self, content: Any) -> None:
        (name, _, _), (_, caption), body = content
        self._anchors += [name] if name else []
        self._walk(body)
        spoken = " ".join(_text_of(caption).split())
        if spoken and spoken != " ".join(_alternatives(body)):
            self._walk(caption)

    def _div(self, content: Any) -> None:
        (name, classes, pairs), inner = content
        if inlines.is_silent(content[0]):
            return
        attributes = dict(pairs)
        if "voxmill-document" in classes:
            self._document, self._number = int(attributes["number"]), 0
            self._file = attributes["file"]
        self._anchors += [name] if name else []
        if "footnotes" in classes or "footnotes" in attributes.get("epub:type", ""):
            # The rule above the footnotes is not a scene break.
            inner = [block for block in inner if block["t"] != "HorizontalRule"]
        kept = self._language
        self._language = language.primary(attributes.get("lang")) or kept
        self._walk(inner)
        self._language = kept

    def _table(self, content: Any) -> None:
        (name, _, _), (_, caption), columns, head, bodies, foot = content
        self._anchors += [name] if name else []
        if len(columns) == 1:
            for row in _rows(head, bodies, foot):
                for cell in row:
                    self._walk(cell)
            return
        if not self._speak_tables:
            self._out.n_tables += 1
            return
        self._walk(caption)
        titles = [_text_of(cell) for row in head[1][-1:] for cell in _cells(row)]
        for row in _rows(None, bodies, foot):
            self._row(titles, [_text_of(cell) for cell in row])

    def _row(self, titles: list[str], cells: list[str]) -> None:
        named = [
            f"{title}: {cell}" if title else cell
            for title, cell in zip(titles + [""] * len(cells), cells, strict=False)
            if cell
        ]
        if named:
            self._emit(Part("paragraph", "; ".join(named) + ".", is_prose=False))


def _cells(row: Any) -> list[list[Block]]:
    return [cell[4] for cell in row[1]]


def _rows(head: Any, bodies: Any, foot: Any) -> Iterator[list[list[Block]]]:
    rows = [*(head[1] if head else []), *(row for body in bodies for row in body[2] + body[3])]
    for row in [*rows, *foot[1]]:
        yield _cells(row)


def _text_of(blocks: list[Block]) -> str:
    flat = Flattener(speak_footnotes=False, speak_tables=True).flatten(blocks)
    return " ".join(texts.clean(part.text) for part in flat.parts if part.text)


def _alternatives(blocks: list[Block]) -> Iterator[str]:
    for node in _nodes(blocks):
        if node["t"] == "Image":
            yield inlines.plain(node["c"][1])


def _nodes(tree: Any, *, blocks_only: bool = False) -> Iterator[dict[str, Any]]:
    """Yield every element of a tree, parents first."""
    if isinstance(tree, dict):
        if "t" in tree:
            yield tree
        if blocks_only and tree.get("t") in ("Para", "Plain", "Header"):
            return
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            if isinstance(branch, dict | list):
                yield from _nodes(branch, blocks_only=blocks_only)


def _references(blocks: list[Block]) -> Iterator[str]:
    for node in _nodes(blocks, blocks_only=True):
        if node["t"] in ("Para", "Plain"):
            yield from inlines.gather(node["c"]).references


def _bodies(blocks: list[Block], wanted: set[str]) -> Iterator[tuple[str, Block]]:
    """Yield the blocks that footnote numbers point to."""
    if not wanted:
        return
    for node in _nodes(blocks):
        if node["t"] not in ("Div", "Para", "Plain") or _holds_heading(node):
            continue
        is_div = node["t"] == "Div"
        names = [node["c"][0][0]] if is_div else inlines.gather(node["c"][:1]).anchors
        is_short = len(_text_of([node])) < MAX_FOOTNOTE_CHARS if wanted & set(names) else False
        if is_short:
            for name in wanted & set(names):
                yield name, node


def _holds_heading(node: Block) -> bool:
    return any(inner["t"] == "Header" for inner in _nodes(node))
