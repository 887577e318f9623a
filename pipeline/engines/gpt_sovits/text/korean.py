"""Korean text → jamo as they are pronounced (upstream: text/korean.py, with g2pk2).

g2pk2 holds the rules of standard pronunciation, mecab-ko tells parts of speech, which some rules
ask for. Each letter of the result is a symbol; compound vowels are taken apart.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.characters import means_something
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion
from pipeline.errors import MissingToolError

_SPACE, _UNREADABLE = "空", "停"
_MARKS = {"：": ",", "；": ",", "，": ",", "·": ",", "、": ",", "。": ".", "\n": "."} | {
    "！": "!",
    "？": "?",
    " ": _SPACE,
}
_LETTER_NAMES = (
    "에이 비 시 디 이 에프 지 에이치 아이 제이 케이 엘 엠 엔 오 피 큐 아르 에스 티 유 브이 더블유 "
    "엑스 와이 제트"
).split()
_SPELT = {
    letter: name
    for lower, name in zip("abcdefghijklmnopqrstuvwxyz", _LETTER_NAMES, strict=True)
    for letter in (lower, lower.upper())
}
_VOWELS = str.maketrans(
    {
        **dict(zip("ㅘㅙㅚㅝㅞㅟㅢ", "ㅗㅏ ㅗㅐ ㅗㅣ ㅜㅓ ㅜㅔ ㅜㅣ ㅡㅣ".split(), strict=True)),
        **dict(zip("ㅑㅒㅕㅖㅛㅠ", "ㅣㅏ ㅣㅐ ㅣㅓ ㅣㅔ ㅣㅗ ㅣㅜ".split(), strict=True)),
    }
)
#: A case that g2pk2 misses: ㄹ is said as ㄴ after these, across a space.
_MISSED = re.compile("([ㅇㄹ]ㅡㄹ) ㄹ")
_SPECIAL_RULES = (
    *("jyeo", "ye", "consonant_ui", "josa_ui", "vowel_ui", "jamo"),
    *("rieulgiyeok", "rieulbieub", "verb_nieun", "balb", "palatalize", "modifying_rieul"),
)
_LINKS = ("link1", "link2", "link3", "link4")
_SPOKEN = re.compile(r"[A-Za-z0-9\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class _Rules:
    """g2pk2, taken apart."""

    idioms: tuple[tuple[str, str], ...]
    #: Text → text with the parts of speech that rules ask for.
    annotate: Callable[[str], str]
    spell_numbers: Callable[[str], str]
    #: Text → letters; letters → syllables.
    letters: Callable[[str], str]
    syllables: Callable[[str], str]
    special: tuple[Callable[[str], str], ...]
    #: What a final and an initial consonant become when they meet.
    meetings: tuple[tuple[str, str], ...]
    links: tuple[Callable[[str], str], ...]

    def __call__(self, text: str) -> str:
        """Return the text spelt as it is pronounced."""
        for pattern, said in self.idioms:
            text = re.sub(pattern, said, text)
        text = self.letters(self.spell_numbers(self.annotate(text)))
        for rule in self.special:
            text = rule(text)
        text = re.sub("/[PJEB]", "", text)
        for pattern, said in self.meetings:
            text = re.sub(pattern, said, text)
        for link in self.links:
            text = link(text)
        return self.syllables(text)


def phonemize(text: str, version: SymbolVersion) -> Phonemes:
    """Return how a text is said.

    Raises:
        MissingToolError: g2pk2 or mecab-ko is not installed.
    """
    from jamo import h2j, j2hcj  # noqa: PLC0415

    rules = _rules()
    said = rules("".join(_SPELT.get(char, char) for char in text))
    letters = _MISSED.sub(r"\1 ㄴ", j2hcj(h2j(said)).translate(_VOWELS))
    letters = re.sub(r"([\u3131-\u3163])$", r"\1.", letters)
    known = set(symbols.table(version))
    phonemes = [_MARKS.get(letter, letter) for letter in letters]
    return Phonemes(
        language="ko",
        norm=text,
        phonemes=tuple(phoneme if phoneme in known else _UNREADABLE for phoneme in phonemes),
    )


def unspeakable(text: str) -> list[tuple[int, str]]:
    """Return the characters that nothing is said for although they mean something."""
    return [
        (index, char)
        for index, char in enumerate(text)
        if means_something(char) and not _SPOKEN.match(char)
    ]


@cache
def _rules() -> _Rules:
    mecab, folder = _tagger(), _package()
    with warnings.catch_warnings():
        # Its sources have escapes that newer Pythons warn of.
        warnings.simplefilter("ignore")
        parts = ("utils", "special", "regular", "numerals")
        utils, special, regular, numerals = (
            importlib.import_module(f"g2pk2.{part}") for part in parts
        )
    lines = (folder / "idioms.txt").read_text(encoding="utf-8").splitlines()
    idioms = [line.partition("#")[0].strip().split("===") for line in lines if "===" in line]
    return _Rules(
        idioms=tuple((pair[0], pair[1]) for pair in idioms if len(pair) == 2),
        annotate=lambda text: str(utils.annotate(text, mecab)),
        spell_numbers=numerals.convert_num,
        letters=importlib.import_module("jamo").h2j,
        syllables=utils.compose,
        special=tuple(getattr(special, name) for name in _SPECIAL_RULES),
        meetings=tuple((pattern, said) for pattern, said, _ in utils.parse_table()),
        links=tuple(getattr(regular, name) for name in _LINKS),
    )


def _package() -> Path:
    """Make the modules of g2pk2 importable without its start-up, and return its folder.

    At its start g2pk2 downloads a dictionary of English and installs packages, for what is not
    needed here: Latin letters are spelt out before its rules see the text.
    """
    spec = find_spec("g2pk2")
    if spec is None or not spec.submodule_search_locations:
        raise MissingToolError("Korean needs the package g2pk2; run: pip install g2pk2")
    package = ModuleType("g2pk2")
    package.__spec__ = spec
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["g2pk2"] = package
    return Path(package.__path__[0])


def _tagger() -> Any:
    try:
        return importlib.import_module("mecab").MeCab()
    except ImportError as error:
        raise MissingToolError(
            "Korean needs the package python-mecab-ko; run: pip install python-mecab-ko"
        ) from error
