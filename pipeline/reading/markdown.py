"""The head of a Markdown or reStructuredText file: title, author and language."""

from __future__ import annotations

import re

import yaml

from pipeline.reading import inlines
from pipeline.reading import text as texts
from pipeline.reading.draft import About
from pipeline.reading.pandoc import Node

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def front_matter(text: str) -> tuple[str, About]:
    """Split off YAML at the head of Markdown; elsewhere `---` is a scene break."""
    found = _FRONT_MATTER.match(text)
    fields = _fields(found[1]) if found else None
    if found is None or fields is None:
        return text, About()
    said = {key: fields.get(key) for key in ("title", "author", "lang", "language")}
    values = {key: _unmarked(_line(value)) for key, value in said.items() if value}
    language = values.get("lang") or values.get("language")
    return text[found.end() :], About(values.get("title"), values.get("author"), language)


def from_pandoc(meta: Node) -> About:
    """Return what pandoc found in the head of a file."""
    title, author, lang = (_meta_text(meta.get(key)) for key in ("title", "author", "lang"))
    return About(title, author, lang)


def _fields(block: str) -> dict[str, object] | None:
    try:
        fields = yaml.safe_load(block)
    except (yaml.YAMLError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _line(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _unmarked(text: str) -> str:
    """Return a line of Markdown without its emphasis."""
    return texts.clean(re.sub(r"(\*{1,3}|_{1,3}|`)(\S.*?)\1", r"\2", text))


def _meta_text(value: Node | None) -> str | None:
    if value is None:
        return None
    if value["t"] == "MetaList":
        found = [text for item in value["c"] if (text := _meta_text(item))]
        return ", ".join(found) or None
    content = value["c"]
    text = content if isinstance(content, str) else ""
    if value["t"] == "MetaInlines":
        text = inlines.plain(content)
    return texts.clean(text) or None
