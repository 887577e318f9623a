"""Phonemes as people write them in a lexicon: symbols of the table, or pinyin with tones."""

from __future__ import annotations

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.chinese import pinyin
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.errors import RequestError


def phonemes(spelled: str, version: SymbolVersion) -> tuple[str, ...]:
    """Return the symbols of "T AH0 M EY1 T OW0", "ch ong2 q ing4" or "chong2 qing4".

    Raises:
        RequestError: A part is neither a symbol nor a syllable of pinyin with its tone, or there
            is no part.
    """
    if not spelled.strip():
        raise RequestError("A reading has no phonemes: the word would not be spoken.")
    found: list[str] = []
    for part in spelled.split():
        syllable = pinyin.phonemes(*pinyin.split(part))
        # "er2" is the end of "EE er2", and as pinyin a whole syllable.
        is_end = bool(found) and symbols.is_initial(found[-1])
        if part in symbols.table(version) and (is_end or syllable[1:] != (part,)):
            found.append(part)
            continue
        if symbols.UNKNOWN in syllable:
            raise RequestError(
                f"{part!r} in the phonemes {spelled!r} is neither a symbol of GPT-SoVITS nor a "
                "syllable of pinyin with its tone. Write ARPAbet such as 'T AH0 M EY1 T OW0', or "
                "pinyin such as 'chong2 qing4'."
            )
        found += syllable
    return tuple(found)
