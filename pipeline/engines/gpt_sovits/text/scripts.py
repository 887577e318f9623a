"""Cutting a text where its script or its language changes (after split-lang 2.1).

Latin, Hangul and digits are told apart by their characters. Chinese and Japanese share theirs, so
such a run is cut into phrases (budoux) and each is put to a language detector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from pipeline.engines.gpt_sovits.text import spans
from pipeline.engines.gpt_sovits.text.language_id import Detector
from pipeline.engines.gpt_sovits.text.spans import UNKNOWN, Span
from pipeline.errors import MissingToolError

_CHINESE_JAPANESE, _KOREAN, _OTHERS = "zh_ja", "ko", "others"
_DIGIT, _MARK, _NEWLINE = "digit", "punctuation", "newline"

_MARKS = set("〜~,.;:!?，。！？；：、·([{<（【《〈「『“‘)]}>）】》〉」』”’\"-_—#$%&…￥'*+=@\\^`|")
_HAN_OR_KANA = re.compile(r"[\u4e00-\u9fff\u3040-\u30ff々]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")

_CHINESE = {"zh": "zh", "yue": "zh", "wuu": "zh", "zh-cn": "zh"}
#: The detector's code → ours; others are unknown. Latin words may be put down to any of them.
_OF_HAN = {**_CHINESE, "ja": "ja"}
_OF_OTHERS = {**_OF_HAN, "ko": "ko", "en": "en"}


@dataclass(slots=True)
class _Run:
    """Characters of one script."""

    script: str
    spans: list[Span]


def split(text: str, detector: Detector) -> list[Span]:
    """Return the text as spans whose neighbours differ in language."""
    runs = [_Run(script, _detected(script, part, detector)) for script, part in _runs(text.strip())]
    runs = _with_newlines(_with_marks(runs))
    return [span for run in runs for span in _settled(run)]


def _runs(text: str) -> Iterable[tuple[str, str]]:
    """Return runs of one script; each mark and each newline begins one of its own."""
    script, start = _OTHERS, 0
    for index, char in enumerate(text):
        begun = _script(char, text[index - 1] if index else " ")
        if begun is None or (begun == script and begun not in (_MARK, _NEWLINE)):
            continue
        if index > start:
            yield script, text[start:index]
        script, start = begun, index
    if text:
        yield script, text[start:]


def _script(char: str, before: str) -> str | None:
    """Return the script that a character begins; None for one that belongs to any."""
    if _HAN_OR_KANA.match(char):
        return _CHINESE_JAPANESE
    if _HANGUL.match(char):
        return _KOREAN
    if char.isdigit():
        return _DIGIT
    if char in _MARKS:
        # An apostrophe is part of its word.
        return None if char == "'" and not before.isspace() else _MARK
    if char.isspace():
        return _NEWLINE if char in "\n\r" else None
    return _OTHERS


def _detected(script: str, text: str, detector: Detector) -> list[Span]:
    """Return the languages within a run of one script."""
    if script == _CHINESE_JAPANESE:
        phrases = [_of(phrase, _OF_HAN, detector) for phrase in _phrases(text)]
        return spans.settle(phrases, detector)
    if script == _OTHERS:
        words = [_of(word, _OF_OTHERS, detector) for word in re.findall(r"\S+\s*", text)]
        return spans.settle(words, detector)
    return [Span(script, text)]


def _of(text: str, codes: dict[str, str], detector: Detector) -> Span:
    if codes is _OF_HAN and Span(UNKNOWN, text).has_kana:
        return Span("ja", text)
    return Span(codes.get(next(iter(detector(text)), ""), UNKNOWN), text)


def _phrases(text: str) -> list[str]:
    """Return the phrases of Chinese or Japanese; kana stay together, single characters join."""
    japanese, chinese = _parsers()
    phrases: list[str] = []
    is_kana = False
    for phrase in (part for whole in japanese(text) for part in chinese(whole)):
        was_kana, is_kana = is_kana, Span(UNKNOWN, phrase).has_kana
        if phrases and was_kana == is_kana and (is_kana or len(phrase) == 1):
            phrases[-1] += phrase
        else:
            phrases.append(phrase)
    if len(phrases) > 1 and len(phrases[0]) == 1:
        phrases[:2] = ["".join(phrases[:2])]
    return phrases


def _with_marks(runs: list[_Run]) -> list[_Run]:
    """Put each mark to the run before it, and a mark at the beginning to the run after it."""
    found: list[_Run] = []
    for run in runs:
        before = found[-1] if found else None
        if before and before.script == _MARK:
            first = Span(run.spans[0].language, before.spans[-1].text + run.spans[0].text)
            found[-1] = _Run(run.script, [*before.spans[:-1], first, *run.spans[1:]])
        elif before and run.script == _MARK:
            last = before.spans[-1]
            before.spans[-1] = Span(last.language, last.text + run.spans[0].text)
        else:
            found.append(run)
    return _of_one_script(found, spans.join)


def _with_newlines(runs: list[_Run]) -> list[_Run]:
    """Put each newline to the run before it, and one at the beginning to the run after it."""
    found: list[_Run] = []
    for run in runs:
        before = found[-1] if found else None
        if before and before.script == _NEWLINE:
            found[-1] = _Run(run.script, before.spans + run.spans)
        elif before and run.script == _NEWLINE:
            before.spans.extend(run.spans)
        else:
            found.append(run)
    return _of_one_script(found, _after_newlines)


def _of_one_script(runs: list[_Run], merge: Callable[[list[Span]], list[Span]]) -> list[_Run]:
    return [
        _Run(script, merge([span for run in same for span in run.spans]))
        for script, same in groupby(runs, key=lambda run: run.script)
    ]


def _after_newlines(parts: Sequence[Span]) -> list[Span]:
    """Join neighbours of one language, and newlines to what is before them: they end a span."""
    found: list[Span] = []
    last = ""
    for span in parts:
        if found and span.language in (_NEWLINE, last):
            found[-1] = Span(found[-1].language, found[-1].text + span.text)
        else:
            found.append(span)
        last = span.language
    return found


def _settled(run: _Run) -> list[Span]:
    if run.script == _CHINESE_JAPANESE:
        return spans.settle_chinese_and_japanese(run.spans)
    return run.spans


@cache
def _parsers() -> tuple[Callable[[str], list[str]], Callable[[str], list[str]]]:
    """Return what cuts Japanese, and simplified Chinese, into phrases."""
    try:
        import budoux  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(
            "Telling Chinese from Japanese needs the package budoux; run: pip install budoux"
        ) from error
    japanese = budoux.load_default_japanese_parser()
    return japanese.parse, budoux.load_default_simplified_chinese_parser().parse
