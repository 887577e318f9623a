"""Where finished files lie: `Author/Title/…`, as audiobook servers expect.

Names keep their script (unicode) and lose only what some file system refuses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

UNKNOWN_AUTHOR = "Unknown author"
UNTITLED = "Untitled"
#: Longest name of a folder or of a file without its suffix, in bytes of UTF-8. File systems
#: allow 255; the rest is for a number in front and suffixes behind.
MAX_BYTES = 200
#: Characters that Windows, or the servers that run on it, refuse, and what stands for them.
REPLACED = str.maketrans({"/": "-", "\\": "-", "|": "-", ":": " -", '"': "'", "<": "(", ">": ")",
                          "*": "", "?": ""})  # fmt: skip
#: Names that are devices on Windows, whatever their suffix.
RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)")


def safe_name(text: str, fallback: str = UNTITLED) -> str:
    """Return a text as the name of a file or folder on any system."""
    text = unicodedata.normalize("NFC", text).translate(REPLACED)
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    name = _cut(" ".join(text.split()).lstrip(". "), MAX_BYTES).rstrip(". ")
    return RESERVED.sub(r"\1_", name) or fallback


def book_folder(out: Path, author: str | None, title: str, taken: Collection[Path] = ()) -> Path:
    """Return `OUT/Author/Title`.

    Args:
        out: The output folder.
        author: Who wrote it, if known.
        title: The book's title.
        taken: Folders of the other books of this run, for two with one name.
    """
    parent = out / safe_name(author or UNKNOWN_AUTHOR, UNKNOWN_AUTHOR)
    name, number = safe_name(title), 1
    others = {_folded(path) for path in taken}
    folder = parent / name
    while _folded(folder) in others:
        number += 1
        folder = parent / f"{name} ({number})"
    return folder


def chapter_names(titles: Sequence[str]) -> list[str]:
    """Return names without suffix, numbered so that they sort as they are read."""
    digits = max(2, len(str(len(titles))))
    return [
        f"{number:0{digits}} - {safe_name(title, f'Chapter {number}')}"
        for number, title in enumerate(titles, start=1)
    ]


#: Categories of characters that a name must not have: controls, lone surrogates, formats (but
#: for the joiners that some scripts are written with), private and unassigned ones.
_INVISIBLE = frozenset({"Cc", "Cs", "Co", "Cn"})


def _cut(text: str, max_bytes: int) -> str:
    """Cut a text to a number of bytes, between characters and never before a combining mark."""
    if len(text.encode()) <= max_bytes:
        return text
    kept = text.encode()[:max_bytes].decode(errors="ignore")
    while kept and unicodedata.combining(text[len(kept)]):
        kept = kept[:-1]
    return kept


def _folded(path: Path) -> str:
    """Return what a file system that ignores case would take the path for."""
    return unicodedata.normalize("NFC", str(path)).casefold()
