"""Words as they are compared: numbers, spelling and writing evened out, and how they sound."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from pipeline.models import g2p

#: Sounds that are one to the ear, or that voices and dictionaries disagree on.
_ALIKE = str.maketrans(
    {"ɾ": "t", "ᵊ": "ə", "ᵻ": "ɪ", "ɜ": "ə", "ʌ": "ə", "ɔ": "ɑ", "T": "t", "O": "ɑ", "i": "ɪ"}
)
_BRACKETS = re.compile(r"[()\[\]<>]")
_NOT_SOUNDS = re.compile(r"[\sˈˌː;:,.!?—…\"“”()\-]+")
#: Short forms that are spoken in full before a number.
_WHOLE = {"ch": "chapter", "vol": "volume", "no": "number", "fig": "figure"}
_BEFORE_NUMBER = re.compile(r"\b(ch|vol|no|fig)\.\s*(?=\d)", re.IGNORECASE)
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km"})


def comparable(text: str, language: str) -> list[str]:
    """Return the words of a text as they are compared; characters where there are no spaces."""
    if language == "en":
        return str(_english()(_even(text))).split()
    return plain(text, language)


def plain(text: str, language: str) -> list[str]:
    """Return the words of a text without capitals and punctuation; numbers stay as written."""
    bare = str(_basic()(_BRACKETS.sub(" ", unicodedata.normalize("NFKC", text))))
    if language in _UNSPACED:
        return [char for char in bare if char.isalnum()]
    return bare.split()


def sound(words: Sequence[str], language: str) -> str:
    """Return how words sound, one letter a sound; other languages are compared as written."""
    return sound_of(" ".join(words), language)


def sound_of(text: str, language: str) -> str:
    """Return how a text sounds, as `sound` does; numbers are read as the context asks."""
    if language != "en" or not text:
        return "".join(text.split())
    phonemes = g2p.english()(text)
    return _NOT_SOUNDS.sub("", str(phonemes)).translate(_ALIKE)


def _even(text: str) -> str:
    """Write what is spoken alike alike: hyphens, dotted letters, times, halves, "Ch. 5".

    Brackets go and their words stay: the normalizer would take them for remarks and drop them.
    """
    text = re.sub(r"\b(?:[A-Za-z]\.){2,}", lambda m: m[0].replace(".", "") + " ", text)
    text = _BRACKETS.sub(" ", text)
    text = re.sub(r"(?<=\d):(?=\d\d)", "", text)
    text = re.sub(r"\b(\d+) and a half\b", r"\1.5", text)
    text = _BEFORE_NUMBER.sub(lambda m: _WHOLE[m[1].lower()] + " ", text)
    return re.sub(r"(?<=\w)[-–—/](?=\w)", " ", text)


@cache
def _english() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


@cache
def _basic() -> BasicTextNormalizer:
    return BasicTextNormalizer()
