"""The symbols a checkpoint has embeddings for, in the order of their ids.

The order is a fact of the checkpoints (upstream: text/symbols.py and text/symbols2.py): v1 is the
sorted set of the first four groups below; v2 appends the later ones, so that old ids stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion

PAD, UNKNOWN = "_", "UNK"
PUNCTUATION = "!?…,.-"

_MARKS = {PAD, *PUNCTUATION, "SP", "SP2", "SP3", UNKNOWN}

# AA, EE and OO stand where a syllable has no initial.
_PINYIN_INITIALS = "AA EE OO b c ch d f g h j k l m n p q r s sh t w x y z zh".split()
_PINYIN_FINALS = (
    "E En a ai an ang ao e ei en eng er i i0 ia ian iang iao ie in ing iong ir iu "
    "o ong ou u ua uai uan uang ui un uo v van ve vn"
).split()

_ARPABET_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
_ARPABET_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
_ARPABET_WITHOUT_STRESS = ["ER", "IH"]

_JAPANESE = (
    "I N U a b by ch cl d dy e f g gy h hy i j k ky m my n ny o p py r ry s sh t ts u v w y z"
).split()
_JAPANESE_PITCH = ["[", "]"]

_KOREAN = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎㄲㄸㅃㅆㅉㅏㅓㅗㅜㅡㅣㅐㅔ空停"

# Jyutping, each with a Y in front. Upstream cut syllables into initial and rest by a rule that
# takes some finals apart (so "k1") and leaves others without their tone.
_JYUTPING_INITIALS = "b c d f gw h j kw l ng s w z".split()
_JYUTPING_FINALS = (
    "a aa aai aak aam aan aang aap aat aau ai ak am an ang ap at au e ei ek eng eoi eon eot g i ik "
    "im in ing ip it iu k m n o oe oek oeng oi ok on ong ot ou p t u ui uk un ung ut yu yun yut"
).split()
_JYUTPING_WITHOUT_TONE = "a aa ai ak au e g k m n o oi ok on ou p t uk".split()


@cache
def table(version: SymbolVersion) -> tuple[str, ...]:
    """Return the symbols; a symbol's index is its id."""
    symbols = sorted(_MARKS | _pinyin() | _arpabet() | set(_JAPANESE))
    if version == "v2":
        symbols += _JAPANESE_PITCH + sorted(_KOREAN) + sorted(_jyutping())
    return tuple(symbols)


def is_initial(symbol: str) -> bool:
    """Tell whether a symbol begins a syllable of pinyin."""
    return symbol in _PINYIN_INITIALS


def ids(phonemes: Iterable[str], version: SymbolVersion) -> list[int]:
    """Return the id of each phoneme; one that the table does not know is UNK."""
    known = _ids(version)
    return [known.get(phoneme, known[UNKNOWN]) for phoneme in phonemes]


@cache
def _ids(version: SymbolVersion) -> dict[str, int]:
    return {symbol: i for i, symbol in enumerate(table(version))}


def _pinyin() -> set[str]:
    return {*_PINYIN_INITIALS, *_with_digits(_PINYIN_FINALS, "12345")}


def _arpabet() -> set[str]:
    vowels = _with_digits(_ARPABET_VOWELS, "012")
    return {*_ARPABET_CONSONANTS, *vowels, *_ARPABET_WITHOUT_STRESS}


def _jyutping() -> set[str]:
    finals = _with_digits(_JYUTPING_FINALS, "123456")
    return {f"Y{part}" for part in {*_JYUTPING_INITIALS, *finals, *_JYUTPING_WITHOUT_TONE}}


def _with_digits(parts: Iterable[str], digits: str) -> set[str]:
    return {part + digit for part in parts for digit in digits}
