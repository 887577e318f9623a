"""The long-form input text, after reading and before planning."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record

BlockKind = Literal["heading", "paragraph", "scene_break"]


class Span(Record):
    """A run of text in one voice; whitespace inside is single spaces, none at the ends."""

    text: str
    #: Who speaks, from a `NAME: text` line; the request's voice map gives the voice.
    speaker: str | None = None
    #: Voice named in the text by `[voice: NAME]`; wins over the speaker.
    voice: str | None = None
    #: From `[pause 800ms]`: the pause after this span, instead of the planned one. A span may
    #: have empty text when the mark stands alone.
    pause_after_ms: int | None = None


class Block(Record):
    """A paragraph, a heading inside or at the head of a chapter, or a scene break (no spans)."""

    kind: BlockKind
    spans: tuple[Span, ...] = ()
    #: Where in the source, for messages: "line 12", "paragraph 4".
    place: str = ""
    #: Set when this block's language differs from the script's (BCP 47 primary tag, "zh").
    language: str | None = None

    @property
    def text(self) -> str:
        """The spoken text of the block."""
        return " ".join(span.text for span in self.spans if span.text)


class Chapter(Record):
    """A titled part of the script; its title is spoken only if a heading block says it."""

    title: str
    blocks: tuple[Block, ...]


class Cover(Record):
    """Cover picture as found in the source."""

    media_type: Literal["image/jpeg", "image/png"]
    data: bytes


class Source(Record):
    """One input file."""

    name: str
    sha256: str
    #: "epub", "markdown", "srt" …
    format: str


class Script(Record):
    """A whole text, ready to be planned."""

    title: str
    author: str | None = None
    #: BCP 47 primary tag: "en", "zh", "ja" …
    language: str
    chapters: tuple[Chapter, ...]
    sources: tuple[Source, ...] = ()
    cover: Cover | None = None
    #: What was skipped and why ("skipped the table of contents").
    notes: tuple[str, ...] = ()
