"""A text → the fragments that are decoded one by one: their phonemes and BERT features.

Upstream: TextPreprocessor.preprocess and segment_and_extract_feature_for_text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.features.bert import Bert
from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.text.phonemes import Phonemes
from pipeline.engines.gpt_sovits.text.split import pre_seg, replace_consecutive_punctuation


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """A piece of text, ready to be decoded."""

    #: As it is spoken, after normalisation.
    norm: str
    #: [T_ph] int64.
    phoneme_ids: Tensor
    #: [BERT_WIDTH, T_ph].
    bert: Tensor


@dataclass(frozen=True, slots=True)
class Reading:
    """How to say `text[start:end]`, in symbols of the phoneme table."""

    start: int
    end: int
    phonemes: tuple[str, ...]


def fragments(
    text: str, language: str, method: str, front_end: FrontEnd, bert: Bert
) -> list[Fragment]:
    """Return the fragments of a text; none if there is no letter or digit in it.

    Args:
        text: What to say.
        language: A language mode of the front end: "zh", "en", "auto" …
        method: How to cut it: "cut0" … "cut5".
        front_end: For the checkpoint's symbols.
        bert: Reads Chinese.

    Raises:
        RequestError: The language is not known.
        EngineError: A part of the text cannot be said.
    """
    if not any(map(str.isalnum, text)):
        return []
    pieces = pre_seg(replace_consecutive_punctuation(text), language, method)
    found = [fragment(piece, language, front_end, bert) for piece in pieces]
    return [each for each in found if each.norm]


def fragment(piece: str, language: str, front_end: FrontEnd, bert: Bert) -> Fragment:
    """Return one piece of text as a fragment."""
    return assemble(front_end.phonemize(piece, language), front_end, bert)


def with_readings(
    text: str, language: str, readings: Sequence[Reading], front_end: FrontEnd, bert: Bert
) -> Fragment:
    """Return a text as one fragment in which some words are said as given.

    What stands between the readings is read by itself.
    """
    spoken: list[Phonemes] = []
    position = 0
    for reading in sorted(readings, key=lambda each: each.start):
        before = text[position : reading.start]
        if before.strip():
            spoken.extend(front_end.phonemize(before, language))
        word = text[reading.start : reading.end]
        spoken.append(Phonemes("en", word, reading.phonemes))
        position = reading.end
    if text[position:].strip():
        spoken.extend(front_end.phonemize(text[position:], language))
    return assemble(spoken, front_end, bert)


def assemble(spoken: Sequence[Phonemes], front_end: FrontEnd, bert: Bert) -> Fragment:
    """Join what the front end made of the stretches of a text, each in one language."""
    ids = [index for each in spoken for index in symbols.ids(each.phonemes, front_end.version)]
    features = bert.features(spoken)
    return Fragment(
        norm="".join(each.norm for each in spoken),
        phoneme_ids=torch.tensor(ids, dtype=torch.int64),
        bert=torch.cat(features, dim=1).float().cpu() if features else torch.zeros(1024, 0),
    )
