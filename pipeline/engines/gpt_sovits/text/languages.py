"""Which parts of a text are in which language (upstream: text/LangSegmenter, TextPreprocessor).

A language mode says what to do with mixed text:

    en                      all of it is English
    zh, ja, ko, yue         English stays English, all else is the named language
    all_zh, all_ja, …       the same, but numbers beside English are the named language's too
    auto, auto_yue          every part is what it seems to be; yue says Chinese in Cantonese
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.engines.gpt_sovits.text import scripts, spans
from pipeline.engines.gpt_sovits.text.language_id import Detector
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.engines.gpt_sovits.text.spans import UNKNOWN, Span
from pipeline.errors import RequestError

#: Modes of each symbol table.
MODES: dict[SymbolVersion, tuple[str, ...]] = {
    "v1": ("auto", "en", "zh", "ja", "all_zh", "all_ja"),
    "v2": (
        *("auto", "auto_yue", "en", "zh", "ja", "yue", "ko"),
        *("all_zh", "all_ja", "all_yue", "all_ko"),
    ),
}

#: Languages, with their names, that only the later table has symbols for.
LATER = {"ko": "Korean", "yue": "Cantonese"}

_ENGLISH = re.compile(
    r"(?=.*[A-Za-z])[A-Za-z0-9\s\u0020-\u007E\u2000-\u206F\u3000-\u303F\uFF00-\uFFEF]+"
)
_KANA = r"[\u3041-\u3096\u3099\u309A\u30A1-\u30FA\u30FC]"
_HANGUL = r"[\u1100-\u11FF\u3130-\u318F\uAC00-\uD7AF]"
_BETWEEN = r"[0-9、-〜。！？.!?… ]"
_JAPANESE = re.compile(f"({_KANA}+(?:{_BETWEEN}+{_KANA}*)*)")
_KOREAN = re.compile(f"({_HANGUL}+(?:{_BETWEEN}+{_HANGUL}*)*)")
#: Han characters with their extensions, and what may stand between them.
_HAN = re.compile(
    r"[\u4e00-\u9fff\u3400-\u4db5\U00020000-\U0002a6dd\U0002a700-\U0002ceaf\U0002ceb0-\U0002ee5d"
    r"\U00030000-\U000323af0-9、-〜。！？.!?… /]"
)
_ENDS = ",.!?，。！？"


def check_mode(mode: str, version: SymbolVersion) -> None:
    """Refuse a language mode that the checkpoint has no symbols for.

    Raises:
        RequestError: The checkpoint cannot speak in this mode.
    """
    if mode in MODES[version]:
        return
    known = ", ".join(MODES[version])
    if mode in MODES["v2"]:
        raise RequestError(
            f"{version} checkpoints cannot speak in the language mode {mode!r}; "
            f"choose one of {known}, or a checkpoint of a later version"
        )
    raise RequestError(f"there is no language mode {mode!r}; choose one of {known}")


def parts(text: str, mode: str, detector: Detector) -> list[Span]:
    """Return the text as parts in one language each, as a language mode wants it.

    A part's language may also be "punctuation" or "newline": such a part is a pause.
    """
    if mode == "en":
        return [Span("en", text)]
    if mode.startswith("all_"):
        language = mode.removeprefix("all_")
        default = "zh" if language == "yue" else language
        return _renamed(segments(text, default, detector), {default: language})
    found = segments(text, None, detector)
    if mode == "auto":
        return found
    if mode == "auto_yue":
        return _renamed(found, {"zh": "yue"})
    others = {span.language: mode for span in found if span.language != "en"}
    return spans.join(_renamed(found, others))


def segments(text: str, default: str | None, detector: Detector) -> list[Span]:
    """Return parts of one language; all but English is in the default language, if there is one."""
    found: list[Span] = []
    for span in scripts.split(text, detector):
        found.extend(_classified(span, default))
    found = _numbers_placed(spans.join(found))
    return spans.join(_unknown_placed(found))


def _renamed(found: Sequence[Span], names: dict[str, str]) -> list[Span]:
    return [replace(span, language=names.get(span.language, span.language)) for span in found]


def _classified(span: Span, default: str | None) -> list[Span]:
    """Return a span with its language corrected, or cut where kana and Hangul tell more."""
    if span.language != "digit" and _ENGLISH.fullmatch(span.text):
        return [replace(span, language="en")]
    if default:
        return [replace(span, language=default)]
    if span.language == "digit":
        return [span]
    pieces = [span] if span.language == "ja" else _cut(span, _JAPANESE, "ja")
    pieces = [part for piece in pieces for part in _without(piece)]
    return [_as_chinese(piece) for piece in (pieces if len(pieces) > 1 else [span])]


def _without(piece: Span) -> list[Span]:
    return [piece] if piece.language == "ko" else _cut(piece, _KOREAN, "ko")


def _cut(span: Span, pattern: re.Pattern[str], language: str) -> list[Span]:
    """Return the span with what matches a pattern cut out as another language."""
    texts = pattern.split(span.text)
    languages = (span.language, language)
    return [Span(languages[index % 2], text) for index, text in enumerate(texts) if text]


def _as_chinese(span: Span) -> Span:
    """Take an unknown span that holds Han characters or their marks as Chinese."""
    if span.language == UNKNOWN and (han := "".join(_HAN.findall(span.text))):
        return Span("zh", han)
    return span


def _numbers_placed(found: list[Span]) -> list[Span]:
    """Give each number the language of the part it belongs to."""
    placed: list[Span] = []
    for index, span in enumerate(found):
        if span.language == "digit":
            following = found[index + 1] if index + 1 < len(found) else None
            span = replace(span, language=_of_number(span, placed, following))  # noqa: PLW2901
        placed = spans.join([*placed, span])
    return placed


def _of_number(number: Span, placed: list[Span], following: Span | None) -> str:
    if not placed:
        return following.language if following else "zh"
    before = placed[-1]
    if following is None or before.language == following.language:
        return before.language
    if before.text[-1] in _ENDS:
        return following.language
    is_before = (
        following.text[0] in _ENDS
        or number.text[-1] in "。."
        or len(before.text) >= len(following.text)
    )
    return before.language if is_before else following.language


def _unknown_placed(found: list[Span]) -> list[Span]:
    """Give parts of unknown language that of the part before, or else after."""
    placed: list[Span] = []
    for span in found:
        if span.language == UNKNOWN:
            following = found[1].language if len(found) > 1 else "zh"
            language = placed[-1].language if placed else following
            placed.append(replace(span, language=language))
        else:
            placed.append(span)
    return placed
