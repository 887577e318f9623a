"""How a file is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = Literal["speak", "skip"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read."""

    #: "auto", or a BCP 47 primary tag that overrides what the file says.
    language: str = "auto"
    #: "2-4,7": chapters to read, counted from 1; None for all.
    chapters: str | None = None
    footnotes: Choice = "skip"
    tables: Choice = "speak"
    #: Longer texts are refused.
    max_chars: int = 20_000_000
    #: Override what the file says.
    title: str | None = None
    author: str | None = None
    #: Names that are speakers whenever `NAME:` begins a line, in any case of letters.
    speakers: frozenset[str] = frozenset()
