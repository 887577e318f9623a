"""What will be spoken: sentences, chunks, pauses. Immutable once written."""

from __future__ import annotations

from typing import Literal

from pipeline.manifest.base import Record


class Reading(Record):
    """How to say `text[start:end]` of a chunk; exactly one of respelling and phonemes is set."""

    start: int
    end: int
    respelling: str | None = None
    #: In the engine's phoneme alphabet (hibari: misaki's, close to IPA).
    phonemes: str | None = None


class Sentence(Record):
    """One sentence of the source, the unit of the completeness receipt."""

    index: int
    chapter: int
    text: str


class Chunk(Record):
    """Unit of one synthesis: a sentence, a part of a long one, or a few short ones.

    Joining the text of all chunks gives the spoken text of the script, character by character,
    except for white space.
    """

    index: int
    chapter: int
    text: str
    #: Indices of the sentences this chunk speaks, whole or in part, in order.
    sentences: tuple[int, ...]
    voice: str
    #: BCP 47 primary tag.
    language: str
    is_heading: bool = False
    readings: tuple[Reading, ...] = ()
    #: Silence between the end of this chunk's speech and the start of the next one's.
    pause_after_ms: int
    #: True when the chunk ends inside a sentence, at a clause.
    is_partial: bool = False


class PlannedChapter(Record):
    """A chapter and the chunks it owns: `chunks[first:first + count]`."""

    title: str
    first_chunk: int
    n_chunks: int


class Pauses(Record):
    """Pauses between chunks, by what ends the chunk."""

    #: After a part of a long sentence that was cut at a mere space.
    word_ms: int = 60
    clause_ms: int = 180
    sentence_ms: int = 420
    question_ms: int = 480
    ellipsis_ms: int = 600
    paragraph_ms: int = 700
    heading_ms: int = 1100
    scene_break_ms: int = 1800
    chapter_ms: int = 2500


class Plan(Record):
    """The whole plan of a job."""

    version: Literal[1] = 1
    title: str
    author: str | None
    language: str
    chapters: tuple[PlannedChapter, ...]
    sentences: tuple[Sentence, ...]
    chunks: tuple[Chunk, ...]
