"""Clean text: single spaces, no invisible characters, NFC, lines joined as the script writes."""

from __future__ import annotations

import re
import unicodedata

#: Scripts written without spaces: kana, Han, their punctuation and full-width forms.
UNSPACED = (
    "\u2e80-\u2fdf\u3000-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
)

_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
#: Joiners shape Arabic and Indic letters and emoji; elsewhere they are dirt.
_STRAY_JOINER = re.compile(
    "(?<![\u0600-\u0dff\u2600-\u27bf\ufe0f\U0001f300-\U0001faff])[\u200c\u200d]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_UNSPACED_LINE_END = re.compile(rf"(?<=[{UNSPACED}])[ \t]*[\n\u2028][ \t\u3000]*(?=[{UNSPACED}])")
_HYPHEN_LINE_END = re.compile(r"(?<=[^\W\d_])([-‐])[ \t]*\n[ \t]*(?=[^\W\d_])")
_SPACES = re.compile(r"\s+")
_SCENE_BREAK = re.compile(
    r"(?:[*\u2042\u2217\u2022\u00b7\u25c6\u25c7\u2756\u2766\u2767\u273d\u2726\u2605\u2606\uff0a]\s*){3,}"
    r"|\u2042|\u2766|\u2767|#|(?:#\s*){3,}|(?:[-\u2013\u2014_=~\uff5e]\s*){3,}|\*|[\u25c6\u25c7\u2605\u2606]"
)


def clean(text: str) -> str:
    """Return the text as it will be spoken; nothing that sounds is lost."""
    text = unicodedata.normalize("NFC", strip_invisible(text))
    text = _UNSPACED_LINE_END.sub("", text)
    text = _HYPHEN_LINE_END.sub(r"\1", text)
    return _SPACES.sub(" ", text).strip()


def strip_invisible(text: str) -> str:
    """Return the text without soft hyphens, zero-width and control characters."""
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub("", _STRAY_JOINER.sub("", text))


def key(text: str) -> str:
    """Return the letters and digits only, case folded: equal for two spellings of one title."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


def has_words(text: str) -> bool:
    """Tell whether anything in the text can be spoken."""
    return any(char.isalnum() for char in text)


def is_scene_break(text: str) -> bool:
    """Tell whether a paragraph is only an ornament between scenes."""
    return _SCENE_BREAK.fullmatch(text.strip()) is not None
