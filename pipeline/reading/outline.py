"""Where chapters begin and what they are called: a title goes with its place, never its rank."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.reading import marks
from pipeline.reading import text as texts
from pipeline.reading.draft import Draft, Entry, Part, Section
from pipeline.reading.headings import BARE, HEADING

#: A title with no more text than this before its first subtitle is a cover sheet, not a chapter.
MAX_SHEET_CHARS = 300
#: A chapter's title stands among its first parts, if it stands in the text at all.
TITLE_PARTS = 3


def sections(draft: Draft, title: str) -> list[Section]:
    """Divide a draft into sections, in order, losing no part."""
    parts = list(_without_contents(draft.parts))
    if draft.outline:
        parts, entries = _say_titles(list(draft.parts), draft.outline)
    else:
        entries = [
            Entry(marks.strip(part.text), part.level, index)
            for index, part in enumerate(parts)
            if part.kind == "heading"
        ]
    starts = _merge_sheets(parts, _chapters(parts, entries))
    starts = _split_documents(parts, starts, dict(draft.matter))
    return _cut(parts, starts, title, dict(draft.matter))


def _chapters(parts: Sequence[Part], entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that begin chapters: the highest level that is not just cover sheets."""
    if not entries:
        return []
    top = min(entry.level for entry in entries)
    chosen: list[Entry] = []
    heads = [index for index, entry in enumerate(entries) if entry.level == top]
    if entries[0].level > top:
        chosen += _chapters(parts, entries[: heads[0]])
    for head, end in zip(heads, [*heads[1:], len(entries)], strict=True):
        children = entries[head + 1 : end]
        chosen.append(entries[head])
        if children and _is_sheet(parts, entries[head], children):
            chosen += _chapters(parts, children)
    return chosen


def _is_sheet(parts: Sequence[Part], entry: Entry, children: Sequence[Entry]) -> bool:
    own = parts[entry.first : children[0].first]
    n_chars = sum(len(part.text) for part in own if part.kind == "paragraph")
    if n_chars > MAX_SHEET_CHARS:
        return False
    titled = HEADING.fullmatch(entry.title) and not re.match(
        r"(?i)part|book|volume|act", entry.title
    )
    return not titled or all(HEADING.fullmatch(child.title) for child in children)


def _merge_sheets(parts: Sequence[Part], chosen: list[Entry]) -> list[Entry]:
    """Give a cover sheet's parts to the chapter that follows it, under the chapter's title."""
    merged: list[Entry] = []
    held: Entry | None = None
    for index, entry in enumerate(chosen):
        following = chosen[index + 1] if index + 1 < len(chosen) else None
        end = following.first if following else len(parts)
        deeper = following is not None and following.level > entry.level
        is_same_place = following is not None and following.first == entry.first
        own = [part for part in parts[entry.first : end] if part.kind != "heading"]
        is_title = index == 0 and following is not None and not own
        if (deeper and _n_chars(own) <= MAX_SHEET_CHARS) or is_same_place or is_title:
            held = held or entry
            continue
        merged.append(replace(entry, first=held.first) if held else entry)
        held = None
    return merged


def _n_chars(parts: Sequence[Part]) -> int:
    return sum(len(part.text) for part in parts)


def _split_documents(
    parts: Sequence[Part], starts: list[Entry], matter: dict[int, str]
) -> list[Entry]:
    """Let pages that are not read stand alone, so that they take no chapter with them."""
    by_first = {entry.first: entry for entry in starts}
    for index, part in enumerate(parts):
        before = parts[index - 1].document if index else -1
        if part.document == before:
            continue
        is_edge = part.document in matter or before in matter
        if is_edge and index not in by_first:
            title = "" if part.document in matter else _first_heading(parts, index)
            by_first[index] = Entry(title, 1, index)
    return [by_first[first] for first in sorted(by_first)]


def _first_heading(parts: Sequence[Part], index: int) -> str:
    part = parts[index]
    return marks.strip(part.text) if part.kind == "heading" else ""


def _cut(
    parts: Sequence[Part], starts: list[Entry], title: str, matter: dict[int, str]
) -> list[Section]:
    if not starts or starts[0].first > 0:
        starts = [Entry(title, 1, 0), *starts]
    ends = [entry.first for entry in starts[1:]] + [len(parts)]
    found = []
    for entry, end in zip(starts, ends, strict=True):
        own = tuple(parts[entry.first : end])
        reason = matter.get(own[0].document) if own else None
        found.append(Section(_full_title(entry, own) or title, own, reason))
    return found


def _full_title(entry: Entry, parts: Sequence[Part]) -> str:
    """Join "Chapter 1" and the heading right below it into one title."""
    headings = [part for part in parts[:2] if part.kind == "heading"]
    if len(headings) < 2 or texts.key(headings[0].text) != texts.key(entry.title):
        return entry.title
    is_below = headings[1].level >= headings[0].level
    is_other = not HEADING.fullmatch(headings[1].text.strip())
    if is_below and is_other and BARE.fullmatch(entry.title):
        return f"{entry.title.rstrip('.: ')}: {marks.strip(headings[1].text)}"
    return entry.title


def _without_contents(parts: Sequence[Part]) -> list[Part]:
    """Drop headings that only list what comes later (a table of contents in plain text)."""
    later: dict[str, int] = {}
    for index, part in enumerate(parts):
        if part.kind == "heading":
            later[texts.key(part.text)] = index
    kept: list[Part] = []
    for index, part in enumerate(parts):
        following = parts[index + 1] if index + 1 < len(parts) else None
        is_listed = part.kind == "heading" and later[texts.key(part.text)] > index
        if is_listed and following is not None and following.kind == "heading":
            continue
        kept.append(part)
    return kept


def _say_titles(parts: list[Part], outline: Sequence[Entry]) -> tuple[list[Part], list[Entry]]:
    """Make sure every title of the contents is spoken once: as the text has it, or added."""
    said: list[Part] = []
    entries: list[Entry] = []
    at = 0
    for entry, following in zip(outline, [*outline[1:], None], strict=True):
        said += parts[at : entry.first]
        at = entry.first
        entries.append(replace(entry, first=len(said)))
        end = following.first if following else len(parts)
        if end > at:
            opening = _titled(parts[at : min(end, at + TITLE_PARTS)], entry)
            said += opening
            at = min(end, at + TITLE_PARTS)
    return said + parts[at:], entries


def _titled(opening: list[Part], entry: Entry) -> list[Part]:
    if not opening or any(part.kind == "heading" for part in opening):
        return opening
    whole, seen = texts.key(entry.title), ""
    marked = list(opening)
    for index, part in enumerate(opening):
        own = texts.key(part.text)
        if part.kind == "paragraph" and own and whole.startswith(seen + own):
            seen += own
            marked[index] = replace(part, kind="heading", level=1)
    if seen:
        return marked
    heading = replace(opening[0], kind="heading", text=entry.title, level=1, anchors=(), n_linked=0)
    return [heading, *opening]
