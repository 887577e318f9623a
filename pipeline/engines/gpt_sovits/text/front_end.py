"""The text front end: a piece of text, perhaps in several languages, → phonemes.

Equal to upstream's TextPreprocessor.get_phones_and_bert, but for the BERT features.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engines.gpt_sovits.text import language_id, languages
from pipeline.engines.gpt_sovits.text.characters import means_something
from pipeline.engines.gpt_sovits.text.clean import clean, unspeakable
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion
from pipeline.engines.gpt_sovits.text.spans import Span

if TYPE_CHECKING:
    from pipeline.engines.gpt_sovits.text.chinese.pronunciation import Reader
    from pipeline.engines.gpt_sovits.text.english.tagging import Tagger
    from pipeline.engines.gpt_sovits.text.language_id import Detector

#: A shorter utterance gets a full stop in front.
SHORTEST_PH = 6

_SPACES = re.compile(" {2,}")


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Says texts for the checkpoints of one symbol table."""

    version: SymbolVersion
    #: Tells the readings of Chinese polyphones; without it dictionaries decide.
    g2pw: Reader | None = None
    #: Tells English homographs apart; the bundled tagger if None.
    tag: Tagger | None = None
    #: Upstream's list of English names (`namedict_cache.pickle`).
    names: Path | None = None
    #: Tells languages apart where characters do not; the bundled model if None.
    detector: Detector | None = None

    def phonemize(self, text: str, language_mode: str) -> list[Phonemes]:
        """Return how a piece of text is said, one part for each change of language.

        Raises:
            RequestError: The checkpoint cannot speak in this mode, or not a part's language.
            MissingToolError: A package that a language needs is not installed.
        """
        said = self._said(text, language_mode)
        if sum(len(part.phonemes) for part in said) < SHORTEST_PH:
            return self._said(f".{text}", language_mode)
        return said

    def unspeakable(self, text: str, language_mode: str) -> list[tuple[int, str]]:
        """Return the characters, with their positions, that would be left out or said as unknown.

        Marks are no loss; letters, numbers and signs are.
        """
        lost: list[tuple[int, str]] = []
        placed = -1
        for part in self._parts(text, language_mode):
            places = list(_places(part.text, text, placed + 1))
            lost += _between(text, placed, places)
            if self.version == "v1" and part.language in languages.LATER:
                lost += [(place, text[place]) for place in places if means_something(text[place])]
            else:
                lost += [(places[at], char) for at, char in unspeakable(part.text, part.language)]
            placed = places[-1] if places else placed
        return sorted(lost + _between(text, placed, [len(text)]))

    def _said(self, text: str, mode: str) -> list[Phonemes]:
        return [
            clean(
                part.text,
                part.language,
                self.version,
                g2pw=self.g2pw,
                tag=self.tag,
                names=self.names,
            )
            for part in self._parts(_SPACES.sub(" ", text), mode)
        ]

    def _parts(self, text: str, mode: str) -> list[Span]:
        languages.check_mode(mode, self.version)
        return languages.parts(text, mode, self.detector or language_id.detector())


def _places(part: str, text: str, start: int) -> Iterator[int]:
    """Return where the characters of a part are in the text that it was taken from."""
    for char in part:
        place = text.index(char, start)
        yield place
        start = place + 1


def _between(text: str, before: int, places: Sequence[int]) -> list[tuple[int, str]]:
    """Return the meaningful characters that a part left out, from after `before` to its end."""
    kept = set(places)
    return [
        (index, text[index])
        for index in range(before + 1, places[-1] if places else before + 1)
        if index not in kept and means_something(text[index])
    ]
