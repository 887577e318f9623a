"""Parts of speech, which tell how a homograph is said ("I read it" now or then?)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from pipeline.errors import ModelError

#: Words and marks of a sentence → their Penn Treebank tags.
Tagger = Callable[[Sequence[str]], Sequence[str]]


@cache
def bundled() -> Tagger:
    """Return the tagger that comes with hibari: its answers are those of a small spaCy model."""
    from hibari.g2p.tagger import Tagger as Perceptron  # noqa: PLC0415

    packed = resources.files("hibari").joinpath("assets", "tagger.json.gz").read_bytes()
    tagger: Tagger = Perceptron(json.loads(gzip.decompress(packed)))
    return tagger


def upstream(folder: Path) -> Tagger:
    """Return the tagger upstream uses, from nltk's data (`averaged_perceptron_tagger_eng`).

    Raises:
        ModelError: The folder does not hold that data.
    """
    from nltk.tag.perceptron import PerceptronTagger  # noqa: PLC0415

    tagger = PerceptronTagger(load=False)
    files = [folder / f"{folder.name}.{part}.json" for part in ("weights", "tagdict", "classes")]
    try:
        tagger.decode_json_params([json.loads(file.read_text("utf-8")) for file in files])
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"{folder}: not a tagger of nltk ({error}); "
            "give the folder averaged_perceptron_tagger_eng of nltk's data"
        ) from error
    return lambda words: [tag for _, tag in tagger.tag(list(words))]
