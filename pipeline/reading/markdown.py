"""The head of a Markdown or reStructuredText file: title, author and language."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from pipeline.errors import InputError
from pipeline.reading import inlines
from pipeline.reading import text as texts
from pipeline.reading.draft import About
from pipeline.reading.pandoc import Node

#: The first line of a head: a name and a colon.
_FIELD = re.compile(r"\s*(title|author|lang|language|date|subtitle)\s*:", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def front_matter(text: str, path: Path) -> tuple[str, About]:
    """Split off YAML at the head of Markdown; elsewhere `---` is a scene break.

    Raises:
        InputError: It looks like YAML and is not: it must not be read aloud.
    """
    found = _FRONT_MATTER.match(text)
    fields = _fields(found[1], path) if found else None
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


def _fields(block: str, path: Path) -> dict[str, object] | None:
    try:
        fields = yaml.safe_load(block)
    except (yaml.YAMLError, RecursionError) as error:
        if _FIELD.match(block):
            mark = getattr(error, "problem_mark", None)
            raise InputError(
                path,
                "the block between the --- lines is not YAML.",
                remedy='Put values with a colon in quotes: title: "Part 1: The Sea".',
                place=f"line {mark.line + 2}" if mark else "line 2",
            ) from error
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
