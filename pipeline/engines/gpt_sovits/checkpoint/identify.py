"""What a checkpoint is, told by what is in it.

Names, sizes and version tags are no guide: fine-tunes carry any name, and upstream itself corrects
a size-based guess by the rows of the phoneme embedding (upstream: TTS_infer_pack/TTS.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Stage = Literal["s1", "s2"]
Version = Literal["v1", "v2", "v2Pro", "v2ProPlus"]

#: What people call the stages.
STAGES: dict[Stage, str] = {"s1": "a GPT model (s1)", "s2": "a SoVITS model (s2)"}

S1_EMBEDDING = "model.ar_text_embedding.word_embeddings.weight"
S2_EMBEDDING = "enc_p.text_embedding.weight"
UPSAMPLER = "dec.ups.0.weight_v"  # [C_in, C_out, kernel]

#: Version by rows of the phoneme embedding; one set of phonemes serves all versions from v2 on.
S1_ROWS: dict[int, Version] = {512: "v1", 732: "v2"}
S2_ROWS: dict[int, Version] = {322: "v1", 732: "v2"}
#: v2ProPlus has a larger vocoder than v2Pro.
PRO_KERNELS: dict[int, Version] = {16: "v2Pro", 20: "v2ProPlus"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A checkpoint that the engine speaks with."""

    stage: Stage
    #: Of an s1 checkpoint "v1" or "v2": v2Pro and v2ProPlus use the phonemes of v2.
    version: Version


class NotUsableError(Exception):
    """It is something else; the message completes "this is …"."""


def identify(contents: Mapping[str, object], weights: Mapping[str, Tensor]) -> Identity:
    """Return what a checkpoint is.

    Args:
        contents: What the file holds.
        weights: Its `weight`, or nothing if it has none.

    Raises:
        NotUsableError: It is nothing that the engine can speak with.
    """
    for is_it, what in _STRANGERS:
        if is_it(contents, weights):
            raise NotUsableError(what)
    if S1_EMBEDDING in weights:
        return Identity("s1", _by_rows(weights[S1_EMBEDDING], S1_ROWS, "GPT model (s1)"))
    if S2_EMBEDDING in weights:
        return Identity("s2", _s2_version(weights))
    raise NotUsableError("a checkpoint of another kind of model.")


def _by_rows(embedding: Tensor, known: Mapping[int, Version], what: str) -> Version:
    rows = embedding.shape[0]
    if rows not in known:
        expected = " or ".join(f"{count} ({version})" for count, version in known.items())
        raise NotUsableError(f"a {what} with {rows} phonemes; known are {expected}.")
    return known[rows]


def _s2_version(weights: Mapping[str, Tensor]) -> Version:
    by_rows = _by_rows(weights[S2_EMBEDDING], S2_ROWS, "SoVITS model (s2)")
    if "sv_emb.weight" not in weights:
        return by_rows
    upsampler = weights.get(UPSAMPLER)
    kernel = upsampler.shape[-1] if upsampler is not None else 0
    if by_rows != "v2" or kernel not in PRO_KERNELS:
        raise NotUsableError(
            "a SoVITS model with speaker verification, neither v2Pro nor v2ProPlus."
        )
    return PRO_KERNELS[kernel]


#: Of "SoVITS" or "GPT".
TRAINING_STATE = (
    "a state of {0} training. Take the file that training saved for speaking, from a folder "
    "{0}_weights…."
)

#: Tells whether a file is something, given its contents and its weights.
_Test = Callable[[Mapping[str, object], Mapping[str, Tensor]], bool]

_NOT_YET = "which Voxmill does not speak with yet; it speaks with v1, v2, v2Pro and v2ProPlus."


def _holds(*names: str) -> _Test:
    return lambda contents, _: all(name in contents for name in names)


def _weighs(part: str) -> _Test:
    return lambda _, weights: any(part in name for name in weights)


#: What is often taken for a model to speak with, the most telling first.
_STRANGERS: tuple[tuple[_Test, str], ...] = (
    (_holds("lora_rank"), f"a LoRA of SoVITS v3 or v4, {_NOT_YET}"),
    (_weighs(".lora_"), f"a LoRA of SoVITS v3 or v4, {_NOT_YET}"),
    (_weighs("cfm."), f"a SoVITS model of v3 or v4, {_NOT_YET}"),
    (
        _weighs("discriminators."),
        "the discriminator (s2D), which only training uses; the model beside it is called s2G.",
    ),
    (_holds("model", "optimizer"), TRAINING_STATE.format("SoVITS")),
    (_holds("state_dict", "optimizer_states"), TRAINING_STATE.format("GPT")),
    (_holds("generator"), f"the vocoder of v3 (BigVGAN), {_NOT_YET}"),
    (_holds("conv_pre.weight", "conv_post.weight"), f"the vocoder of v4, {_NOT_YET}"),
    (_holds("layer1.0.conv1.weight", "seg_1.weight"), "the speaker verification model."),
    (_holds("bert.embeddings.word_embeddings.weight"), "the BERT model of a text front end."),
    (_holds("encoder.layer_norm.weight", "feature_projection.layer_norm.weight"), "HuBERT."),
)
