"""Script → Plan. Deterministic, and no character of the spoken text is lost but white space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.manifest.plan import Chunk, Pauses, Plan, PlannedChapter, Sentence
from pipeline.manifest.script import Script
from pipeline.planning import merging, pauses
from pipeline.planning.characters import CJK_LANGUAGES, CJK_WIDTH
from pipeline.planning.clauses import split
from pipeline.planning.lexicon import Lexicon
from pipeline.planning.units import Unit, units


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the planner must know besides the script."""

    #: Voice of all that names no other.
    voice: str
    #: Speaker's name → voice; the case of the name does not matter.
    speaker_voices: Mapping[str, str] = field(default_factory=dict)
    #: Longest text of a chunk that the engine takes; a CJK letter counts as three.
    max_chars: int = 300
    pauses: Pauses = field(default_factory=Pauses)
    lexicon: Lexicon = field(default_factory=Lexicon)
    #: Sentences with less text share a chunk with a neighbour; a CJK letter counts as three.
    merge_below_chars: int = 16


@dataclass(frozen=True, slots=True)
class _Draft:
    """The text of a chunk, and the range of sentences it speaks."""

    text: str
    first: int
    last: int
    is_partial: bool


def plan_script(script: Script, options: PlanOptions) -> Plan:
    """Plan what is spoken, in which pieces, by whom and with what pauses.

    A chunk is longer than `options.max_chars` only if it is one word with the symbols around it.

    Raises:
        InputError: There is not one word in the script, or a regex of the lexicon takes too long.
    """
    sentences = units(script, options.speaker_voices, options.voice)
    chunks = tuple(
        _chunk(index, draft, sentences, options)
        for index, draft in enumerate(_drafts(sentences, options))
    )
    return Plan(
        title=script.title,
        author=script.author,
        language=script.language,
        chapters=_chapters(script, chunks),
        sentences=tuple(
            Sentence(index=index, chapter=unit.chapter, text=unit.text.strip())
            for index, unit in enumerate(sentences)
        ),
        chunks=chunks,
    )


def _drafts(sentences: Sequence[Unit], options: PlanOptions) -> list[_Draft]:
    """Split the long sentences and join the short ones."""
    room = merging.Room.within(options.max_chars, options.merge_below_chars)
    drafts: list[_Draft] = []
    for index, joined in enumerate(merging.joins(sentences, room)):
        max_chars = _max_chars(sentences[index], options)
        parts = split(
            sentences[index].text,
            merging.Room.within(max_chars, options.merge_below_chars).for_sentence,
        )
        for number, part in enumerate(parts, start=1):
            draft = _Draft(part, index, index, is_partial=number < len(parts))
            if joined and number == 1 and _fits(drafts[-1], draft, max_chars):
                previous = drafts.pop()
                draft = _Draft(previous.text + part, previous.first, index, draft.is_partial)
            drafts.append(draft)
    return drafts


def _max_chars(unit: Unit, options: PlanOptions) -> int:
    """Return how many characters of the unit's language a chunk takes."""
    return max(1, options.max_chars // (CJK_WIDTH if unit.language in CJK_LANGUAGES else 1))


def _fits(draft: _Draft, following: _Draft, max_chars: int) -> bool:
    return len((draft.text + following.text).strip()) <= max_chars


def _chunk(index: int, draft: _Draft, sentences: Sequence[Unit], options: PlanOptions) -> Chunk:
    unit, text = sentences[draft.last], draft.text.strip()
    following = sentences[draft.last + 1] if draft.last + 1 < len(sentences) else None
    return Chunk(
        index=index,
        chapter=unit.chapter,
        text=text,
        sentences=tuple(range(draft.first, draft.last + 1)),
        voice=unit.voice,
        language=unit.language,
        is_heading=unit.is_heading,
        readings=options.lexicon.readings(text, unit.language),
        pause_after_ms=(
            pauses.after_text(text, options.pauses)
            if draft.is_partial
            else pauses.after_unit(unit, following, options.pauses)
        ),
        is_partial=draft.is_partial,
    )


def _chapters(script: Script, chunks: Sequence[Chunk]) -> tuple[PlannedChapter, ...]:
    """Tell which chunks each chapter owns; a chapter without words owns none."""
    counts = Counter(chunk.chapter for chunk in chunks)
    chapters, first = [], 0
    for index, chapter in enumerate(script.chapters):
        planned = PlannedChapter(title=chapter.title, first_chunk=first, n_chunks=counts[index])
        chapters.append(planned)
        first += planned.n_chunks
    return tuple(chapters)
