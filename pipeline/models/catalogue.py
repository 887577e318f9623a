"""Which models there are: their files, pinned by SHA-256, and where each can be had.

This is data: a new model is a new entry, not new code. A model may exist in several editions
(another conversion of the same weights, with other bytes); every source carries exactly one, and
a model folder is good when it holds all files of any one edition.

A file whose hash we do not know for certain is not pinned: what the hub tells of it, or else what
first arrived, is recorded and holds from then on.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import RequestError
from pipeline.models.catalogue_gpt_sovits import GPT_SOVITS
from pipeline.models.catalogue_whisper import WHISPER
from pipeline.models.sources import HubSource, Model, ModelFile


def _hibari_voice(voice: str, purpose: str, file: ModelFile) -> Model:
    hub = HubSource("maureesewilliams/hibari", "main", (file,), folder="voices")
    return Model(f"hibari-{voice}", purpose, "Apache-2.0", (hub,))


_HIBARI = (
    _hibari_voice(
        "emma",
        "English voice: British, female",
        ModelFile(
            "bf_emma.int8.onnx",
            7_936_868,
            "f709f0488ee63b583a22189a955aaf4257b9806dd330be3490661e53af0a89c1",
        ),
    ),
    _hibari_voice(
        "fenrir",
        "English voice: American, male",
        ModelFile(
            "am_fenrir_v2.int8.onnx",
            8_031_158,
            "f59fbd87908c91f827bc21b1b89443757b9a8580db9eee20aa948deb731321f4",
        ),
    ),
    _hibari_voice(
        "fable",
        "English voice: British, male",
        ModelFile(
            "bm_fable.int8.onnx",
            7_936_868,
            "c28529302f2d27cd12f62625c24425888c4e3c2675583100ec530259136b8bc6",
        ),
    ),
    _hibari_voice(
        "kore",
        "English voice: American, female",
        ModelFile(
            "af_kore.int8.onnx",
            7_936_868,
            "346885752673e45d42f9864c9e2432094bc4b6385df060d4b83273da764d2fa9",
        ),
    ),
)

#: Every model, by name.
MODELS = {model.name: model for model in (*WHISPER, *_HIBARI, *GPT_SOVITS)}


def get(name: str) -> Model:
    """Return the model of that name.

    Raises:
        RequestError: There is no such model.
    """
    if name not in MODELS:
        raise RequestError(f"No model {name!r}. Choose one of: {', '.join(MODELS)}.")
    return MODELS[name]


def with_needs(names: Iterable[str]) -> list[str]:
    """Return the named models, each after those that it needs and each once.

    Raises:
        RequestError: There is no such model.
    """
    return list(dict.fromkeys(each for name in names for each in (*get(name).needs, name)))
