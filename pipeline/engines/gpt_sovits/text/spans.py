"""Stretches of text in one language, and the rules by which short ones join their neighbours.

The rules are those of split-lang 2.1, which upstream relies on. A phrase of a few characters is too
short to trust a detector with, so it takes the language of what is around it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.engines.gpt_sovits.text.language_id import Detector

#: A language nobody knows.
UNKNOWN = "x"

_KANA = re.compile(r"[\u3040-\u30ff々]")
#: A phrase counts as short beside one of this length, or when it is this many times shorter.
_LONG, _SHORT, _MUCH_SHORTER = 6, 4, 10
#: Beside a phrase of this length a detector's lesser candidates count.
_BRIEF = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one language."""

    #: A code, or the kind of what has none: "digit", "punctuation", "newline".
    language: str
    text: str

    @property
    def has_kana(self) -> bool:
        """Tell whether the text is surely Japanese."""
        return _KANA.search(self.text) is not None

    def __len__(self) -> int:
        return len(self.text)


def join(spans: Sequence[Span]) -> list[Span]:
    """Join neighbours of one language."""
    return [
        Span(language, "".join(span.text for span in same))
        for language, same in groupby(spans, key=lambda span: span.language)
    ]


def settle(spans: Sequence[Span], detector: Detector) -> list[Span]:
    """Give short and unknown spans of one script the language of their neighbours."""
    found = join(_enclosed(join(spans), detector))
    found = _known(join(_enclosed(found, detector)))
    found = join(_outermost(found, detector))
    return join(_enclosed(found, detector))


def _candidates(text: str, detector: Detector) -> Sequence[str]:
    return detector(text.replace("\n", "").strip())


def _enclosed(spans: list[Span], detector: Detector) -> list[Span]:
    """Let a span between two of one language join them, if it may well be in that language."""
    found = list(spans)
    for index in range(1, len(found) - 1):
        left, middle, right = found[index - 1 : index + 2]
        if left.language != right.language or left.language in (UNKNOWN, "newline"):
            continue
        is_small = len(middle) <= _SHORT and len(left) + len(right) >= _LONG
        if middle.language == UNKNOWN or (
            not middle.has_kana
            and (is_small or left.language in _candidates(middle.text, detector))
        ):
            found[index] = replace(middle, language=left.language)
    return found


def _known(spans: list[Span]) -> list[Span]:
    """Give unknown spans the language of the nearest known one, on the longer side."""
    found = list(spans)
    for index, span in enumerate(found):
        if span.language != UNKNOWN:
            continue
        looks_left = index == len(found) - 1 or (
            index > 0 and len(found[index - 1]) >= len(found[index + 1])
        )
        found[index] = replace(span, language=_nearest(found, index, looks_left=looks_left))
    return found


def _nearest(spans: list[Span], index: int, *, looks_left: bool) -> str:
    """Return the language of the nearest span on one side that has one."""
    others = reversed(spans[:index]) if looks_left else spans[index + 1 :]
    languages = (span.language for span in others if span.language not in (UNKNOWN, "digit"))
    return next(languages, spans[index].language)


def _outermost(spans: list[Span], detector: Detector) -> list[Span]:
    """Let the first and the last span join their neighbour, if they are short or may be alike."""
    found = list(spans)
    if _joins(found[0], found[1] if len(found) > 1 else None, detector):
        found[0] = replace(found[0], language=_nearest(found, 0, looks_left=False))
    if _joins(found[-1], found[-2] if len(found) > 1 else None, detector):
        last = len(found) - 1
        found[last] = replace(found[last], language=_nearest(found, last, looks_left=True))
    return found


def _joins(span: Span, neighbour: Span | None, detector: Detector) -> bool:
    if span.language == UNKNOWN:
        return True
    if neighbour is None:
        return False
    has_kana = span.has_kana or neighbour.has_kana
    is_beside_long_chinese = (
        neighbour.language == "zh" and len(neighbour) >= _LONG and len(neighbour) > len(span)
    )
    if is_beside_long_chinese and not has_kana:
        return True
    may_be_alike = neighbour.language in _candidates(span.text, detector)
    return may_be_alike and (len(neighbour) <= _BRIEF or not has_kana)


def settle_chinese_and_japanese(spans: list[Span]) -> list[Span]:
    """Let what is a tenth as long as its neighbours join them, once marks are part of the spans."""
    if len(spans) == 1:
        return spans
    found: list[Span] = []
    lengths: Counter[str] = Counter()
    index = 0
    while index < len(spans):
        span = spans[index]
        lengths[span.language] += len(span)
        following = spans[index + 1] if index + 1 < len(spans) else None
        if not found and following and _is_dwarfed(span, following):
            found.append(Span(following.language, span.text + following.text))
            index += 1
        elif found and not following and _is_dwarfed(span, found[-1]):
            found[-1] = replace(found[-1], text=found[-1].text + span.text)
        elif found and following and _is_bridged(found[-1], span, following):
            found[-1] = replace(found[-1], text=found[-1].text + span.text + following.text)
            index += 1
        else:
            found.append(span)
        index += 1
    return join(_by_majority(found, lengths))


def _is_dwarfed(span: Span, neighbour: Span) -> bool:
    return (
        span.language in ("zh", "ja", UNKNOWN)
        and neighbour.language in ("zh", "ja")
        and len(span) * _MUCH_SHORTER < len(neighbour)
    )


def _is_bridged(left: Span, span: Span, right: Span) -> bool:
    return (
        left.language == right.language
        and left.language in ("zh", "ja")
        and span.language != "en"
        and len(span) * _MUCH_SHORTER < len(left) + len(right)
    )


def _by_majority(spans: list[Span], lengths: Counter[str]) -> list[Span]:
    """Put unknown spans down to the main language, and Chinese ones amid much Japanese to it."""
    found = spans
    if lengths[UNKNOWN]:
        order = ("zh", "ja", UNKNOWN, "digit", "punctuation", "newline")
        main = max(order, key=lambda language: lengths[language])
        found = [replace(s, language=main) if s.language == UNKNOWN else s for s in found]
    if lengths["ja"] >= lengths["zh"] * _MUCH_SHORTER:
        found = [replace(s, language="ja") if s.language == "zh" else s for s in found]
    return found
