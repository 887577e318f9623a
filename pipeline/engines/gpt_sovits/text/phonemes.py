"""What the text front end makes of a piece of text in one language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: The symbol tables: v1 checkpoints know 322 symbols, all later ones 732.
SymbolVersion = Literal["v1", "v2"]

Language = Literal["zh", "en", "ja", "ko", "yue"]


@dataclass(frozen=True, slots=True)
class Phonemes:
    """A piece of text in one language, and how it is said."""

    language: Language
    #: The text after normalisation: numbers in words, punctuation from a small set.
    norm: str
    #: Symbols of the table; [T_ph].
    phonemes: tuple[str, ...]
    #: Phonemes of each character of `norm`, summing to T_ph; None where characters do not map.
    word2ph: tuple[int, ...] | None = None
