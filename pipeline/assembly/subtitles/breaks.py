"""Where a line or a cue may end, and how bad each place is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.assembly.subtitles.tokens import Token

#: Closing quotation marks and brackets are looked through to find what ends a word.
CLOSERS = "\"'”’)]}»」』）】》"
SENTENCE_ENDS = frozenset(".!?…。！？")
CLAUSE_ENDS = frozenset(",;:–—，；：、")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words a line likes to begin with: a clause or a phrase starts there.
CLAUSE_STARTS = _words(
    "and but or nor for so yet because although though while when where which who whom whose "
    "that if unless until since as than whether after before"
)
PHRASE_STARTS = _words(
    "in on at to from with without of by about into onto over under through between among "
    "against during toward towards across behind beyond near upon within"
)
#: Words that must not be parted from the next one.
LEANING = _words(
    "a an the my your his her its our their this these those no not very to of mr mrs ms dr st "
    "prof i he she we they you it who which that is are was were be been am will would can could "
    "shall should may might must do does did has have had"
)

#: Costs of ending a line, in columns of imbalance that the better place is worth.
AFTER_SENTENCE, AFTER_CLAUSE, BEFORE_CLAUSE, BEFORE_PHRASE, ANYWHERE, TORN = 0, 2, 6, 9, 14, 26


def cost(before: Token, after: Token) -> int:
    """Return how bad it is to end a line or a cue between two tokens; 0 is best."""
    bare = before.text.rstrip(CLOSERS)
    if bare and bare[-1] in SENTENCE_ENDS and bare.rstrip(".").casefold() not in LEANING:
        return AFTER_SENTENCE
    if bare and bare[-1] in CLAUSE_ENDS:
        return AFTER_CLAUSE
    if _plain(before) in LEANING:
        return TORN
    following = _plain(after)
    if following in CLAUSE_STARTS:
        return BEFORE_CLAUSE
    return BEFORE_PHRASE if following in PHRASE_STARTS else ANYWHERE


def costs(tokens: Sequence[Token]) -> tuple[int, ...]:
    """Return the cost of ending after each token; the end of the text costs nothing."""
    return (*(cost(before, after) for before, after in pairwise(tokens)), AFTER_SENTENCE)


def _plain(token: Token) -> str:
    return token.text.strip(CLOSERS + "“‘([{«「『（【《.").casefold()
