"""Phonemes as people write them in a lexicon: symbols of the table, or pinyin with tones."""

from __future__ import annotations

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.chinese import pinyin
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.errors import RequestError


def phonemes(spelled: str, version: SymbolVersion) -> tuple[str, ...]:
    """Return the symbols of "T AH0 M EY1 T OW0", "ch ong2 q ing4" or "chong2 qing4".

    Raises:
        RequestError: A part is neither a symbol nor a syllable of pinyin with its tone.
    """
    found: list[str] = []
    for part in spelled.split():
        if part in symbols.table(version):
            found.append(part)
            continue
        syllable = pinyin.phonemes(*pinyin.split(part))
        if symbols.UNKNOWN in syllable:
            raise RequestError(
                f"{part!r} in the phonemes {spelled!r} is neither a symbol of GPT-SoVITS nor a "
                "syllable of pinyin with its tone. Write ARPAbet such as 'T AH0 M EY1 T OW0', or "
                "pinyin such as 'chong2 qing4'."
            )
        found += syllable
    return tuple(found)
