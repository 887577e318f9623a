"""Cantonese text → initials and finals of Jyutping (upstream: text/cantonese.py).

Numbers are read by the rules for Mandarin; the rest is written Chinese or Cantonese.
"""

from __future__ import annotations

import re

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.characters import means_something
from pipeline.engines.gpt_sovits.text.chinese import normalization
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion
from pipeline.errors import EngineError, MissingToolError

#: Tried in this order: a syllable begins with the first that fits, even where that is its final.
_BEGINNINGS = (
    "aa ai au ap at ak a p b e t d kw k gw g f h l m ng n s y w c z j ong on ou oi ok o uk ung"
).split()
_MARKS = str.maketrans(dict(zip("：；，。！？\n·、$—～~", ",,,.!?.,,.---", strict=True)))
_UNSPOKEN = re.compile(rf"[^\u4e00-\u9fa5{re.escape(symbols.PUNCTUATION)}]+")
_SYLLABLES = re.compile(r"(?:[a-z]+[1-6]+ ?)+")


def phonemize(text: str, version: SymbolVersion) -> Phonemes:
    """Return how a text is said.

    Raises:
        EngineError: A character has no Cantonese reading.
        MissingToolError: ToJyutping is not installed.
    """
    norm = normalize(text)
    said = [_sounds(char, reading) for char, reading in _readings(norm)]
    known = set(symbols.table(version))
    phonemes = tuple(sound if sound in known else symbols.UNKNOWN for s in said for sound in s)
    return Phonemes(
        language="yue", norm=norm, phonemes=phonemes, word2ph=tuple(len(sounds) for sounds in said)
    )


def unspeakable(text: str) -> list[tuple[int, str]]:
    """Return the characters that nothing is said for although they mean something."""
    norm = normalize(text)
    unread = {char for char, reading in _readings(norm) if not _is_readable(char, reading)}
    return [
        (index, char)
        for index, char in enumerate(text)
        if means_something(char)
        and (char in unread or normalize(text[:index] + text[index + 1 :]) == norm)
    ]


def normalize(text: str) -> str:
    """Return the text in Chinese characters and the marks `!?…,.-`, numbers in words."""
    spelt = normalization.in_words(text).replace("...", "…").translate(_MARKS)
    return _UNSPOKEN.sub("", spelt)


def _readings(norm: str) -> list[tuple[str, str | None]]:
    try:
        from ToJyutping import get_jyutping_list  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(
            "Cantonese needs the package ToJyutping; run: pip install ToJyutping"
        ) from error
    return list(get_jyutping_list(norm))


def _is_readable(char: str, reading: str | None) -> bool:
    return char in symbols.PUNCTUATION or bool(_SYLLABLES.fullmatch(reading or ""))


def _sounds(char: str, reading: str | None) -> list[str]:
    """Return the two symbols of a character, or a mark as it is."""
    if char in symbols.PUNCTUATION:
        return [char]
    if reading is None or not _SYLLABLES.fullmatch(reading):
        raise EngineError(f"there is no Cantonese reading of {char!r}; write another character")
    syllable, tone = reading[:-1], reading[-1]
    beginning = next(start for start in _BEGINNINGS if syllable.startswith(start))
    rest = syllable.removeprefix(beginning) or syllable[-1]
    return [f"Y{beginning}", f"Y{rest}{tone}"]
