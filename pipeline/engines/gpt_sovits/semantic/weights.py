"""Upstream's names of the GPT stage's tensors, and the network made of them; nothing may be left.

Upstream: AR/models/t2s_model.py, as saved by s1_train.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.semantic.config import BERT_WIDTH, SemanticConfig
from pipeline.engines.gpt_sovits.semantic.linear import Linear, Precision, linear
from pipeline.engines.gpt_sovits.semantic.model import Layer, TextToSemantic

CPU = torch.device("cpu")


def build(
    config: SemanticConfig,
    weights: Mapping[str, Tensor],
    precision: Precision = "fp32",
    device: torch.device = CPU,
) -> TextToSemantic:
    """Return the network with a checkpoint's weights, ready to predict.

    Args:
        config: The checkpoint's sizes.
        weights: Its tensors by upstream's names.
        precision: Of the layers' weights; embeddings, norms and the output stay in fp32.
        device: Where it will compute.

    Raises:
        ValueError: A tensor is missing, has another shape or is not known.
    """
    take = _Taker(weights)
    width, n_tokens = config.width, config.n_tokens
    layers = [
        _layer(take, f"model.h.layers.{i}", width, precision, device)
        for i in range(config.n_layers)
    ]
    model = TextToSemantic(
        config,
        layers,
        bert=linear(
            take("model.bert_proj.weight", width, BERT_WIDTH),
            take("model.bert_proj.bias", width),
            "fp32",
            device,
        ),
        phonemes=_embedding(take, "model.ar_text_embedding", config.n_phonemes, width),
        tokens=_embedding(take, "model.ar_audio_embedding", n_tokens, width),
        alphas=(take("model.ar_text_position.alpha", 1), take("model.ar_audio_position.alpha", 1)),
        head=linear(take("model.ar_predict_layer.weight", n_tokens, width), None, "fp32", device),
    )
    take.require_all_taken()
    return model.eval().requires_grad_(False).to(device)


class _Taker:
    """Hands out tensors by name, once each, in fp32."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._weights = weights
        self._left = set(weights)

    def __call__(self, key: str, *shape: int) -> Tensor:
        if key not in self._weights:
            raise ValueError(f"it lacks the tensor {key}")
        tensor = self._weights[key]
        if tuple(tensor.shape) != shape:
            found = "×".join(map(str, tensor.shape))
            raise ValueError(f"{key} is {found}, not {'×'.join(map(str, shape))}")
        self._left.discard(key)
        return tensor.float()

    def require_all_taken(self) -> None:
        if self._left:
            names = ", ".join(sorted(self._left)[:3])
            raise ValueError(f"it has {len(self._left)} tensors that do not belong: {names}")


def _layer(take: _Taker, key: str, width: int, precision: Precision, device: torch.device) -> Layer:
    def part(name: str, n_out: int, n_in: int, joint: str = ".") -> Linear:
        weight = take(f"{key}.{name}{joint}weight", n_out, n_in)
        return linear(weight, take(f"{key}.{name}{joint}bias", n_out), precision, device)

    return Layer(
        qkv=part("self_attn.in_proj", 3 * width, width, joint="_"),
        out=part("self_attn.out_proj", width, width),
        up=part("linear1", 4 * width, width),
        down=part("linear2", width, 4 * width),
        norms=[_norm(take, f"{key}.norm{i}", width) for i in (1, 2)],
    )


def _norm(take: _Taker, key: str, width: int) -> nn.LayerNorm:
    norm = nn.LayerNorm(width, eps=1e-5)
    norm.weight.data, norm.bias.data = take(f"{key}.weight", width), take(f"{key}.bias", width)
    return norm


def _embedding(take: _Taker, key: str, n: int, width: int) -> nn.Embedding:
    weight = take(f"{key}.word_embeddings.weight", n, width)
    return nn.Embedding.from_pretrained(weight)
