"""English text → ARPAbet phonemes (upstream: text/english.py, on top of g2p-en).

A word's sound is looked up; what is not found is taken apart (letters, possessive, compound) and
its parts looked up; only what is left is predicted from its letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.characters import means_something
from pipeline.engines.gpt_sovits.text.english import lexicon, spelling, tagging
from pipeline.engines.gpt_sovits.text.english.lexicon import Homograph, Sounds
from pipeline.engines.gpt_sovits.text.english.normalize import normalize
from pipeline.engines.gpt_sovits.text.english.tagging import Tagger
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes, SymbolVersion

#: Shorter utterances get a pause in front, since the model has seen few as short.
SHORTEST = 4
#: Unknown words up to this length are read letter by letter.
LONGEST_INITIALISM = 3

_POSSESSIVE = re.compile(r"([a-z]+)'s")
_VOICELESS = {"P", "T", "K", "F", "TH", "HH"}
_SIBILANT = {"S", "Z", "SH", "ZH", "CH", "JH"}
#: What the spelling network writes besides phonemes, and the one it writes without stress.
_DROPPED = {"<pad>", "<s>", "</s>", "UW"}
_RENAMED = {"<unk>": symbols.UNKNOWN, "'": "-"}


@dataclass(frozen=True, slots=True)
class Pronouncer:
    """Words → phonemes."""

    dictionary: Mapping[str, Sounds]
    #: Names in lower case, which count only where the word begins with a capital.
    names: Mapping[str, Sounds]
    homographs: Mapping[str, Homograph]
    #: Word → the words it is made of.
    segment: Callable[[str], list[str]]
    #: Word → phonemes, from its letters alone.
    predict: Callable[[str], list[str]]

    def sentence(self, text: str, tag: Tagger) -> list[str]:
        """Return the phonemes of normalised text; marks stand for themselves."""
        words = _tokens()(text)
        return [
            sound
            for word, part in zip(words, tag(words), strict=True)
            for sound in self._in_context(word, part)
        ]

    def _in_context(self, word: str, part: str) -> Sounds:
        lowered = word.lower()
        if not re.search("[a-z]", lowered):
            return (lowered,)
        if len(lowered) == 1:
            return ("EY1",) if word == "A" else self.dictionary[lowered]
        if lowered in self.homographs:
            return self.homographs[lowered].sounds(part)
        return self.word(word)

    def word(self, word: str) -> Sounds:
        """Return the phonemes of a word outside any sentence."""
        lowered = word.lower()
        if len(lowered) > 1 and lowered in self.dictionary:
            return self.dictionary[lowered]
        if word.istitle() and lowered in self.names:
            return self.names[lowered]
        if len(lowered) <= LONGEST_INITIALISM:
            return tuple(sound for char in lowered for sound in self._letter(char))
        if owner := _POSSESSIVE.fullmatch(lowered):
            sounds = self.word(owner[1])
            return (*sounds, *_possessive_ending(sounds[-1]))
        parts = self.segment(lowered)
        if len(parts) == 1:
            return tuple(self.predict(lowered))
        return tuple(sound for part in parts for sound in self.word(part))

    def _letter(self, char: str) -> Sounds:
        if char == "a":
            return ("EY1",)
        return self.dictionary[char] if char.isalpha() else (char,)


def phonemize(
    text: str, version: SymbolVersion, *, tag: Tagger | None = None, names: Path | None = None
) -> Phonemes:
    """Return how a text is said.

    Args:
        text: English text.
        version: The checkpoint's symbol table.
        tag: Tells homographs apart; the bundled tagger by default.
        names: Upstream's list of names (`namedict_cache.pickle`), to say more names as it does.
    """
    norm = normalize(text)
    found = pronouncer(names).sentence(norm, tag or tagging.bundled())
    sounds = [_RENAMED.get(sound, sound) for sound in found if sound not in _DROPPED]
    known = set(symbols.table("v2"))
    said = [sound for sound in sounds if sound in known]
    if len(said) < SHORTEST:
        said.insert(0, ",")
    table = set(symbols.table(version))
    return Phonemes(
        language="en",
        norm=norm,
        phonemes=tuple(sound if sound in table else symbols.UNKNOWN for sound in said),
    )


def unspeakable(text: str) -> list[tuple[int, str]]:
    """Return the characters that nothing is said for although they mean something."""
    norm = normalize(text)
    return [
        (index, char)
        for index, char in enumerate(text)
        if not (char.isascii() and char.isalnum())
        and means_something(char)
        and normalize(text[:index] + " " + text[index + 1 :]).split() == norm.split()
    ]


@cache
def pronouncer(names: Path | None = None) -> Pronouncer:
    """Return what knows English words, loaded once a process."""
    return Pronouncer(
        dictionary=lexicon.dictionary(),
        names=lexicon.names(names) if names else {},
        homographs=lexicon.homographs(),
        segment=_segmenter(),
        predict=spelling.load(lexicon.data_file("checkpoint20.npz")),
    )


@cache
def _segmenter() -> Callable[[str], list[str]]:
    from wordsegment import Segmenter  # noqa: PLC0415

    segmenter = Segmenter()
    segmenter.load()
    segment: Callable[[str], list[str]] = segmenter.segment
    return segment


@cache
def _tokens() -> Callable[[str], list[str]]:
    from nltk.tokenize.casual import TweetTokenizer  # noqa: PLC0415

    tokenize: Callable[[str], list[str]] = TweetTokenizer().tokenize
    return tokenize


def _possessive_ending(last: str) -> Sounds:
    if last in _VOICELESS:
        return ("S",)
    return ("AH0", "Z") if last in _SIBILANT else ("Z",)
