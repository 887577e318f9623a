"""Chinese text → phonemes, equal to upstream's clean_text (text/cleaner.py)."""

from __future__ import annotations

from pipeline.engines.gpt_sovits.text.chinese.normalization import normalize
from pipeline.engines.gpt_sovits.text.chinese.pronunciation import Reader, pronounce
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion

#: In a text with one of these every comma is a pause of that kind, as is the sign.
_PAUSES = {"￥": "SP2", "^": "SP3"}


def phonemize(text: str, version: SymbolVersion, *, g2pw: Reader | None = None) -> Phonemes:
    """Return what is said for a Chinese text.

    Args:
        text: The text as written.
        version: v2 knows erhua and may use G2PW, v1 reads by pypinyin's dictionaries alone.
        g2pw: Tells the readings of polyphones by their context.
    """
    sign = next((sign for sign in _PAUSES if sign in text), None)
    norm = normalize(text.replace(sign, ",") if sign else text)
    is_v2 = version == "v2"
    said = pronounce(norm, has_erhua=is_v2, reader=g2pw if is_v2 else None)
    phonemes = [phoneme for character in said for phoneme in character]
    if sign:
        phonemes = [_PAUSES[sign] if phoneme == "," else phoneme for phoneme in phonemes]
    return Phonemes("zh", norm, tuple(phonemes), tuple(map(len, said)))
