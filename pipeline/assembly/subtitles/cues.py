"""A timeline → cues: what stands on the screen, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from pipeline.assembly.subtitles import timing
from pipeline.assembly.subtitles.lines import Lines, Setter
from pipeline.assembly.subtitles.style import CueStyle
from pipeline.assembly.subtitles.tokens import Token, joined, tokens, width
from pipeline.manifest.timeline import TimedSentence, Timeline

#: Short sentences of one voice share a cue when the silence between them is at most this.
JOIN_PAUSE_S = 0.7


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed caption of one or two lines, in one voice, inside one chapter."""

    start_ms: int
    end_ms: int
    lines: Lines
    voice: str
    #: As in the timeline's sentences.
    chapter: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as text."""
        return tuple(joined(line) for line in self.lines)

    @property
    def columns_per_s(self) -> float:
        """How fast it must be read."""
        return sum(map(width, self.texts)) * 1000 / (self.end_ms - self.start_ms)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue before its times are settled."""

    tokens: tuple[Token, ...]
    voice: str
    chapter: int
    is_heading: bool

    def needs_s(self, style: CueStyle) -> float:
        columns = width(joined(self.tokens))
        return max(style.min_duration_s, columns / style.max_columns_per_s)


def cues(timeline: Timeline, style: CueStyle) -> tuple[Cue, ...]:
    """Return the cues of a file, in order: none overlaps, none leaves the file or its chapter.

    A cue ends no sooner than its speech, except for the gap before the next one. Where the speech
    is faster than the reader, the cue stays as long as the next one allows (`too_fast` counts
    those that could not stay long enough).
    """
    sentences = (_cut(sentence, style) for sentence in timeline.sentences)
    drafts = _shared(tuple(chain.from_iterable(sentences)), style)
    needs_s = [draft.needs_s(style) for draft in drafts]
    spans = timing.spans(
        [(d.tokens[0].start_s, d.tokens[-1].end_s) for d in drafts], needs_s, timeline, style
    )
    return tuple(
        Cue(span.start_ms, span.end_ms, _set(draft.tokens, style), draft.voice, draft.chapter)
        for draft, span in zip(drafts, spans, strict=True)
    )


def too_fast(made: Iterable[Cue], style: CueStyle) -> int:
    """Return how many cues must be read faster than the style wants: the speech is that fast."""
    return sum(cue.columns_per_s > style.max_columns_per_s * 1.01 for cue in made)


def _cut(sentence: TimedSentence, style: CueStyle) -> Iterable[_Draft]:
    words = tokens(sentence)
    if not words:
        return
    for first, end in pairwise((0, *Setter(words, style).cuts())):
        yield _Draft(words[first:end], sentence.voice, sentence.chapter, sentence.is_heading)


def _set(words: Sequence[Token], style: CueStyle) -> Lines:
    return Setter(words, style).lines(0, len(words))


def _shared(drafts: Sequence[_Draft], style: CueStyle) -> tuple[_Draft, ...]:
    """Put short neighbours into one cue where each alone could not stand long enough."""
    made: list[_Draft] = []
    for index, draft in enumerate(drafts):
        after = drafts[index + 1] if index + 1 < len(drafts) else None
        both = made and _both(made[-1], draft, style)
        if both and (_is_cramped(made[-1], draft, style) or _is_cramped(draft, after, style)):
            made[-1] = both
        else:
            made.append(draft)
    return tuple(made)


def _is_cramped(draft: _Draft, after: _Draft | None, style: CueStyle) -> bool:
    if after is None:
        return False
    room_s = after.tokens[0].start_s - draft.tokens[0].start_s - style.min_gap_s
    return room_s < draft.needs_s(style)


def _both(one: _Draft, other: _Draft, style: CueStyle) -> _Draft | None:
    """Return two neighbours as one cue, or None when they may not share one."""
    if one.is_heading or other.is_heading:
        return None
    if (one.voice, one.chapter) != (other.voice, other.chapter):
        return None
    if other.tokens[0].start_s - one.tokens[-1].end_s > JOIN_PAUSE_S:
        return None
    start_s, end_s = one.tokens[0].start_s, other.tokens[-1].end_s
    if end_s - start_s > style.max_duration_s:
        return None
    follower = replace(other.tokens[0], spaced=_is_spaced(one, other))
    words = (*one.tokens, follower, *other.tokens[1:])
    if not Setter(words, style).fits(0, len(words)):
        return None
    return replace(one, tokens=words)


def _is_spaced(one: _Draft, other: _Draft) -> bool:
    """Tell whether a space parts two drafts: not between two pieces of Chinese or Japanese."""
    inner = [token.spaced for token in (*one.tokens[1:], *other.tokens[1:])]
    wide = width(one.tokens[-1].text[-1]) == 2 and width(other.tokens[0].text[0]) == 2
    return other.tokens[0].spaced or not wide or any(inner)
