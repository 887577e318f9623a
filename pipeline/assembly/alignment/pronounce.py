"""How each written word of an English chunk sounds: its phones, number or name or whatever it is.

The G2P rewrites before it reads ("5 km" → "5 kilometers", "10/12/2019" → "October twelfth,
2019"), so its tokens are matched back to the written words: equal ones are anchors, and what lies
between two anchors is divided by how long each written word sounds on its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hibari import Hibari
from hibari.g2p.normalize import normalize

from pipeline.assembly.alignment.arpabet import arpabet
from pipeline.manifest.plan import Chunk, Reading
from pipeline.models import g2p

Phones = tuple[str, ...]

#: What parts the units of one token: spaces, and punctuation where the voice may pause.
_BREAK = re.compile(r"[\s;:,.!?—…\"“”()]+")


@dataclass(frozen=True, slots=True)
class _Token:
    """A token of the G2P: what it stands for and the units of phones it sounds like."""

    text: str
    units: tuple[Phones, ...]

    @property
    def n_phones(self) -> int:
        return sum(len(unit) for unit in self.units)


class Pronouncer:
    """Asks the G2P, which is loaded once a process."""

    def __init__(self) -> None:
        self._g2p = g2p.english()

    def units(self, chunk: Chunk, words: Sequence[str]) -> list[tuple[Phones, ...]]:
        """Return for each written word its units of phones; none for a word without a sound.

        Between two units the voice may pause; inside one it does not.
        """
        tokens = self._tokens(marked_up(chunk.text, chunk.readings))
        groups = _groups([_bare(word) for word in words], [_bare(token.text) for token in tokens])
        units: list[tuple[Phones, ...]] = []
        for written, spoken in groups:
            units += self._divided(words[written], tokens[spoken])
        return units

    def _tokens(self, text: str) -> list[_Token]:
        """Return the tokens that have a sound or a letter, joined where no space parts them."""
        tokens: list[_Token] = []
        for sentence in Hibari.split_sentences(text):
            joined = ""
            phonemes = ""
            for token in self._g2p.phonemize_tokens(self._g2p.tokenize(normalize(sentence))):
                joined += token.text
                phonemes += token.phonemes or ""
                if token.whitespace:
                    tokens.append(_token(joined, phonemes))
                    joined, phonemes = "", ""
            tokens.append(_token(joined, phonemes))
        return [token for token in tokens if token.text]

    def _divided(self, words: Sequence[str], tokens: Sequence[_Token]) -> list[tuple[Phones, ...]]:
        """Give each of the words its share of the tokens' units."""
        units = [unit for token in tokens for unit in token.units]
        if len(words) == 1:
            return [tuple(units)]
        weights = [sum(token.n_phones for token in self._tokens(word)) for word in words]
        return _shares(units, weights)


def marked_up(text: str, readings: Sequence[Reading]) -> str:
    """Return the text with its readings in the G2P's notation: `[word](/phonemes/)`."""
    for reading in sorted(readings, key=lambda r: r.start, reverse=True):
        word = text[reading.start : reading.end]
        spoken = f"[{word}](/{reading.phonemes}/)" if reading.phonemes else reading.respelling
        text = text[: reading.start] + (spoken or "") + text[reading.end :]
    return text


def _token(text: str, phonemes: str) -> _Token:
    units = (arpabet(part) for part in _BREAK.split(phonemes))
    return _Token(text, tuple(unit for unit in units if unit))


def _bare(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum())


def _groups(written: Sequence[str], spoken: Sequence[str]) -> list[tuple[slice, slice]]:
    """Return matching slices of written words and tokens that cover both; no left slice is empty.

    Tokens that stand for nothing written ("dollars" after "$5 million") join the word before.
    """
    matcher = SequenceMatcher(a=written, b=spoken, autojunk=False)
    groups: list[tuple[slice, slice]] = []
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            groups += [(slice(a + i, a + i + 1), slice(b + i, b + i + 1)) for i in range(a_end - a)]
        elif a == a_end and groups:
            words, tokens = groups[-1]
            groups[-1] = (words, slice(tokens.start, b_end))
        elif a < a_end:
            first = groups[-1][1].stop if groups else 0
            groups.append((slice(a, a_end), slice(first, b_end)))
    return groups


def _shares(units: Sequence[Phones], weights: Sequence[int]) -> list[tuple[Phones, ...]]:
    """Cut the units into one run a weight, each cut where the share of phones fits best."""
    ends = [0]
    for unit in units:
        ends.append(ends[-1] + len(unit))
    total = sum(weights) or 1
    cuts = [0]
    wanted = 0.0
    for weight in weights[:-1]:
        wanted += weight * ends[-1] / total
        cuts.append(min(range(cuts[-1], len(ends)), key=lambda cut: abs(ends[cut] - wanted)))
    cuts.append(len(units))
    return [tuple(units[a:b]) for a, b in itertools.pairwise(cuts)]
