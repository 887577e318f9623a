"""Text → sentences, as slices that rebuild it exactly.

sentencex knows the stops and abbreviations of some 300 languages, but takes a whole quotation or
bracket for one sentence, and cuts dialogue tags off ("Why?" | asked Tom). So it gets the text with
quotation marks and brackets blanked out, and what it cut too small is joined again.
"""

from __future__ import annotations

import regex
from sentencex import segment

from pipeline.planning.characters import AMBIGUOUS_QUOTES, closes, has_words, opens

_ENCLOSING = r"[\p{Ps}\p{Pe}\p{Pi}\p{Pf}\"'＂]"
#: Quotation marks and brackets, but not the apostrophe inside a word.
_ENCLOSING_MARK = regex.compile(rf"(?<!\w){_ENCLOSING}|{_ENCLOSING}(?!\w)")
#: "1." or "(2)" or "b)": the number of a list entry belongs to the entry.
_LIST_NUMBER = regex.compile(r"[(\[]?(\d{1,3}|[a-z])[.)\]]+\s*")
#: Abbreviations before a capital letter that sentencex takes for the end of a sentence.
_TITLES = {
    "en": "Mr|Mrs|Ms|Dr|Prof|Messrs|Mlle|Mme|Pvt|Cpl|Sgt|Lt|Cmdr|Adm|Maj|Hon|Mt|Ft|vs",
    "fr": "M|MM|Mr|Mme|Mmes|Mlle|Mgr|Dr|Pr|Ste|Me",
    "es": "Ud|Uds|Vd|D|Dª|Dr|Dra|Sr|Sra|Srta|Sto|Sta",
    "it": "Sig|Dott|Prof|Avv|Ing|On",
    "de": "Hr|Dr|Prof|St|Hl",
    "pt": "Sr|Sra|Dr|Dra|Exmo|Prof",
}
_TITLE = {
    language: regex.compile(rf"(?<!\w)({names})\.\s*$") for language, names in _TITLES.items()
}
_BEFORE_NUMBER = regex.compile(
    r"(?<!\w)(approx|art|ca|ch|ed|eq|est|ex|fig|no|nos|op|p|pp|pt|sec|vol)\.\s*$",
    regex.IGNORECASE,
)
#: "No. He did not.", which sentencex takes for the abbreviation in "No. 5" and "No. IV".
_ANSWER_NO = regex.compile(r"(?<!\w)No(?=\.\s+(?![IVXLC]+(?!\w))\p{L})")
#: "at 5 p.m. Monday", "9 a.m. EST": the day or time zone goes with the time.
_CLOCK_TIME = regex.compile(r"(?<!\w)[ap]\.\s?m\.\s*$", regex.IGNORECASE)
_AFTER_CLOCK_TIME = regex.compile(
    r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|[A-Z]{1,3}T\b|GMT\b|UTC\b|Eastern\b|Pacific\b"
    r"|(January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
#: What follows a quotation in Chinese ("…？”他问。") and Japanese ("…」と言った。").
_CJK_TAG = regex.compile(r"と|って|[\p{Han}]{0,8}?[说說问問道答喊叫嚷想]")
_CJK_QUOTE_END = regex.compile(r"[。！？…?!｡][”」』’]+\s*$")
#: "On Thurs. morning", "at max. speed": what may be short for something before a small letter.
_ABBREVIATION = regex.compile(
    r"(?<!\w)(\p{Lu}\p{Ll}{1,5}|approx|ch|ed|est|hrs?|lbs?|max|mins?|secs?|trans|vol|yrs?)\.$"
)
#: Not a name such as iPhone.
_LOWER_CASE_WORD = regex.compile(r"\p{Ll}(?!\w*\p{Lu})")
_OPEN_ENDED = regex.compile(r"[!?…？！]\s*$|\.\.\.\s*$")


def sentences(text: str, language: str) -> list[str]:
    """Cut a paragraph into sentences; white space after one belongs to it.

    Joining the result gives the text again. Every sentence has a word in it if the text has one.
    """
    joined: list[str] = []
    carried = ""
    for slice_ in _cut(text, language):
        body, next_carried = _split_trailing_openers(carried + slice_)
        carried = next_carried
        if not joined or not _belongs_to(joined[-1], body, language):
            joined.append(body)
        else:
            joined[-1] += body
    return _with_words([*joined, carried])


def _cut(text: str, language: str) -> list[str]:
    """Return sentencex's slices of the text, made with quotation marks out of the way."""
    blanked = _ENCLOSING_MARK.sub(" ", text)
    if language == "en":
        blanked = _ANSWER_NO.sub("Oh", blanked)
    slices, start = [], 0
    for piece in segment(language, blanked):
        slices.append(text[start : start + len(piece)])
        start += len(piece)
    assert start == len(text), "sentencex lost text"
    return slices


def _split_trailing_openers(text: str) -> tuple[str, str]:
    """Separate the marks at the end that open the next sentence."""
    end = len(text.rstrip())
    if end < len(text) and text[end - 1 : end] in AMBIGUOUS_QUOTES:
        return text, ""  # A mark with white space after it closes.
    while end and _is_opener_at(text, end - 1):
        end -= 1
    end += len(text[end:]) - len(text[end:].lstrip())
    return text[:end], text[end:]


def _is_opener_at(text: str, position: int) -> bool:
    """Tell whether the mark opens: the straight ones do so only after white space."""
    if text[position] not in "\"'＂":
        return opens(text[position])
    before = text[:position]
    return not before or before[-1].isspace() or opens(before[-1])


def _belongs_to(previous: str, text: str, language: str) -> bool:
    """Tell whether the text goes on with the sentence before it."""
    if not has_words(text):
        return not opens(text[:1] or " ")
    if not has_words(previous) or _LIST_NUMBER.fullmatch(previous):
        return True
    return (
        _is_dialogue_tag(previous, text)
        or _is_cjk_tag(previous, text)
        or _is_after_abbreviation(previous, text, language)
    )


def _is_dialogue_tag(previous: str, text: str) -> bool:
    """Tell whether a lower-case word goes on after a quotation, a "?" or an abbreviation."""
    if not _LOWER_CASE_WORD.match(text):
        return False
    stripped = previous.rstrip()
    return (
        closes(stripped[-1])
        or _OPEN_ENDED.search(stripped) is not None
        or _ABBREVIATION.search(stripped) is not None
    )


def _is_cjk_tag(previous: str, text: str) -> bool:
    return bool(_CJK_QUOTE_END.search(previous)) and bool(_CJK_TAG.match(text))


def _is_after_abbreviation(previous: str, text: str, language: str) -> bool:
    title = _TITLE.get(language)
    return (
        (title is not None and title.search(previous) is not None)
        or (text[0].isdigit() and _BEFORE_NUMBER.search(previous) is not None)
        or (_CLOCK_TIME.search(previous) is not None and _AFTER_CLOCK_TIME.match(text) is not None)
    )


def _with_words(slices: list[str]) -> list[str]:
    """Attach what has no words to the sentence before it, at the very start to the one after."""
    kept: list[str] = []
    for text in slices:
        if kept and not (has_words(kept[-1]) and has_words(text)):
            kept[-1] += text
        elif text:
            kept.append(text)
    return kept
