"""A step of the network in few kernels: the way through the layers that suits a GPU.

Computes what `TextToSemantic.step` computes. Sums and norms stay in fp32; what enters and leaves
the products, and what is kept of it, has the precision of the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic import kernels
from pipeline.engines.gpt_sovits.semantic.cache import KVCache
from pipeline.engines.gpt_sovits.semantic.linear import Int8Linear, PackedLinear
from pipeline.engines.gpt_sovits.semantic.model import Layer, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.slots import Read


def dtype(model: TextToSemantic) -> torch.dtype:
    """Return the precision of the layers' weights, or of what integer weights are widened to."""
    qkv = next(iter(cast(Iterable[Layer], model.layers))).qkv
    if isinstance(qkv, Int8Linear):
        return torch.bfloat16
    return qkv.dtype if isinstance(qkv, PackedLinear) else qkv.weight.dtype


def reader(model: TextToSemantic, cache: KVCache) -> Read:
    """Return what reads one more position of each row.

    Without Triton, or for widths its kernels are not written for, the network's own step looks at
    all positions there are: slower, and as independent of other rows.
    """
    if model.device.type == "cuda" and kernels.suit(model.config):
        return lambda x, lengths: step(model, x, lengths, cache)
    return lambda x, lengths: model.step(x, lengths, cache, cache.capacity)


def step(model: TextToSemantic, x: Tensor, lengths: Tensor, cache: KVCache) -> Tensor:
    """Read one more position [n, D] of the first n rows; return their logits [n, V].

    Args:
        model: The network.
        x: The embedded tokens, fp32.
        lengths: [n] int64, how many positions each row has before this one.
        cache: Gets the new keys and values.
    """
    n = len(x)
    rounded = x.to(cache.dtype)
    for index, layer in enumerate(cast(Iterable[Layer], model.layers)):
        keys, values = cache.read(index, n, cache.capacity)
        attended = kernels.attend(layer.qkv(rounded), keys, values, lengths)
        x, rounded = kernels.add_norm(x, layer.out(attended), layer.norm_attention, cache.dtype)
        network = layer.down(layer.up(rounded, relu=True))
        x, rounded = kernels.add_norm(x, network, layer.norm_network, cache.dtype)
    return model.head(x).float()
