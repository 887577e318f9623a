"""A checkpoint must hold exactly what the model needs; refusals name the tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tiny_sovits
import torch
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

from pipeline.engines.gpt_sovits.sovits import config as configs
from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.errors import ModelError

UPSAMPLER = "dec.ups.2"


def built(weights: dict[str, Tensor], config: dict[str, Any] | None = None) -> SoVITS:
    return SoVITS.from_weights(config or tiny_sovits.config(), weights)


def test_what_only_training_uses_is_dropped_whether_it_is_there_or_not() -> None:
    weights = tiny_sovits.weights()
    bare = {
        key: value
        for key, value in weights.items()
        if not key.startswith("enc_q.") and not key.endswith(("embed_avg", "inited"))
    }
    assert len(bare) == len(weights) - 3
    ours = built(bare).state_dict()
    assert all(torch.equal(value, ours[key]) for key, value in built(weights).state_dict().items())


@pytest.mark.parametrize(
    "key",
    [
        "enc_p.encoder2.norm_layers_2.0.gamma",
        "quantizer.vq.layers.0._codebook.embed",
        "ref_enc.spectral.3.fc.bias",
        "flow.flows.6.enc.res_skip_layers.3.weight_v",
        "dec.resblocks.14.convs2.2.weight_g",
        "dec.conv_post.weight",
    ],
)
def test_a_missing_tensor_is_refused_by_name(key: str) -> None:
    weights = tiny_sovits.weights()
    del weights[key]
    with pytest.raises(ModelError) as caught:
        built(weights)
    assert f"lacks the tensor {key}." in str(caught.value)


@pytest.mark.parametrize("key", ["dec.noise_convs.0.weight", "flow.flows.8.pre.bias", "weight"])
def test_an_unknown_tensor_is_refused_by_name(key: str) -> None:
    weights = tiny_sovits.weights() | {key: torch.zeros(1)}
    with pytest.raises(ModelError, match=rf"unknown tensor {key}\b"):
        built(weights)


def test_a_tensor_of_another_shape_is_refused_by_name() -> None:
    weights = tiny_sovits.weights()
    weights["enc_p.proj.weight"] = torch.zeros(10, tiny_sovits.WIDTH, 1)
    with pytest.raises(ModelError, match=r"enc_p\.proj\.weight.* has the shape \[10, 8, 1\]"):
        built(weights)


def test_a_gain_that_does_not_fit_its_direction_is_refused_by_name() -> None:
    weights = tiny_sovits.weights()
    weights[f"{UPSAMPLER}.weight_g"] = torch.ones(3, 1, 1)
    with pytest.raises(ModelError, match=rf"gain of {UPSAMPLER}\.weight"):
        built(weights)


def test_weight_normalisation_is_folded_as_pytorch_computes_it() -> None:
    weights = tiny_sovits.weights()
    direction, gain = weights[f"{UPSAMPLER}.weight_v"], weights[f"{UPSAMPLER}.weight_g"]
    layer = weight_norm(torch.nn.ConvTranspose1d(*direction.shape))
    layer.parametrizations.weight.original0.data = gain  # type: ignore[union-attr]
    layer.parametrizations.weight.original1.data = direction  # type: ignore[union-attr]
    ours = built(weights).vocoder.stages[2].upsample.weight[:, :, 0]
    assert torch.allclose(ours, layer.weight, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("naming", ["newer", "folded"])
def test_other_ways_to_store_a_normalised_weight_give_the_same_model(naming: str) -> None:
    weights = tiny_sovits.weights()
    direction, gain = (weights.pop(f"{UPSAMPLER}.weight_{part}") for part in "vg")
    if naming == "newer":
        weights[f"{UPSAMPLER}.parametrizations.weight.original0"] = gain
        weights[f"{UPSAMPLER}.parametrizations.weight.original1"] = direction
    else:
        norm = direction.flatten(1).norm(dim=1)[:, None, None]
        weights[f"{UPSAMPLER}.weight"] = gain * direction / norm
    ours, expected = (
        each.vocoder.stages[2].upsample.weight
        for each in (built(weights), built(tiny_sovits.weights()))
    )
    assert torch.allclose(ours, expected, rtol=1e-6, atol=1e-7)


def test_half_precision_is_read_as_the_numbers_it_holds() -> None:
    weights = {key: value.half() for key, value in tiny_sovits.weights().items()}
    ours = built(weights).text_encoder.phoneme_embedding.weight
    assert torch.equal(ours, weights["enc_p.text_embedding.weight"].float())


@pytest.mark.parametrize(
    ("n_phonemes", "has_verification", "kernel", "version"),
    [
        (322, False, 16, "v1"),
        (732, False, 16, "v2"),
        (732, True, 16, "v2Pro"),
        (732, True, 20, "v2ProPlus"),
    ],
)
def test_the_version_is_told_by_the_content(
    n_phonemes: int, has_verification: bool, kernel: int, version: str
) -> None:
    weights = {"enc_p.text_embedding.weight": torch.zeros(n_phonemes, 1)}
    if has_verification:
        weights["sv_emb.weight"] = torch.zeros(1, 1)
    config = tiny_sovits.config(upsample_kernel_sizes=[kernel, 16, 8, 2, 2], version="nonsense")
    assert configs.read(config, weights).version == version


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda config: config["model"].pop(name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("gin_channels"), r"lacks model\.gin_channels"),
        (lambda config: config.pop("data"), "has no part 'data'"),
        (lambda config: config["model"].update(n_heads="two"), r"model\.n_heads .* is 'two'"),
        (lambda config: config["model"].update(resblock="2"), "resblock '2'"),
        (lambda config: config["data"].update(hop_length=320), "hop_length 320"),
        (lambda config: config["model"].update(upsample_rates=7), r"model\.upsample_rates .* is 7"),
        (
            lambda config: config["model"].update(upsample_kernel_sizes=[15, 16, 8, 2, 2]),
            "no vocoder of a released version",
        ),
    ],
)
def test_a_config_that_cannot_be_is_refused(
    spoil: Callable[[dict[str, Any]], object], message: str
) -> None:
    config = tiny_sovits.config()
    spoil(config)
    with pytest.raises(ModelError, match=message):
        built(tiny_sovits.weights(), config)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"cfm.estimator.x": torch.zeros(1)}, "v3 or v4"),
        ({"model.bert_proj.weight": torch.zeros(1)}, "not a SoVITS checkpoint"),
        ({"enc_p.text_embedding.weight": torch.zeros(500, 1)}, "has 500 rows"),
    ],
)
def test_another_kind_of_checkpoint_is_refused(weights: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        built(weights)
