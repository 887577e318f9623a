"""Prefixes read in passes of one fixed size, so that none feels with whom it is read.

Which kernel a GPU's library multiplies with, and so how it rounds, depends on the number of rows.
Here it never varies: prefixes are padded to a length of a short list, chosen by their own length
alone, and a pass has as many of them as fill its rows; missing ones are zeros.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.engines.gpt_sovits.semantic.cache import KVCache
from pipeline.engines.gpt_sovits.semantic.model import Layer, Prefix, TextToSemantic

#: The shortest length that prefixes are padded to fits so often into a pass.
MOST_PREFIXES = 4


def passes(lengths: Sequence[int], n_rows: int) -> Iterator[tuple[int, list[int]]]:
    """Yield for each pass the padded length and which prefixes are in it.

    Args:
        lengths: Of the prefixes, each at most `n_rows`.
        n_rows: Of a pass; a multiple of `MOST_PREFIXES`.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(lengths):
        by_length[padded_length(length, n_rows)].append(index)
    for padded, members in sorted(by_length.items()):
        n = n_rows // padded
        for first in range(0, len(members), n):
            yield padded, members[first : first + n]


def padded_length(length: int, n_rows: int) -> int:
    """Return what a prefix of a length is padded to."""
    assert length <= n_rows
    padded = n_rows // MOST_PREFIXES
    while padded < length:
        padded *= 2
    return padded


def prefill(
    model: TextToSemantic,
    prefixes: Sequence[Prefix],
    rows: Sequence[int],
    cache: KVCache,
    n_rows: int,
) -> Tensor:
    """Read prefixes into rows of the cache; return their first logits [n, V]."""
    logits: dict[int, Tensor] = {}
    for length, members in passes([prefix.length for prefix in prefixes], n_rows):
        batch, slots = [prefixes[i] for i in members], [rows[i] for i in members]
        found = _pass(model, batch, slots, cache, (n_rows // length, length))
        logits |= zip(members, found, strict=False)
    return torch.stack([logits[i] for i in range(len(prefixes))])


def _pass(
    model: TextToSemantic,
    prefixes: Sequence[Prefix],
    slots: Sequence[int],
    cache: KVCache,
    shape: tuple[int, int],
) -> Tensor:
    """Read prefixes as [B, L]; return the first logits [B, V], of missing ones too."""
    config = model.config
    mask = _masks(prefixes, shape, model.device)[:, None]
    x = model.positions.new_zeros(*shape, config.width)
    for row, prefix in zip(x, prefixes, strict=False):
        row[: prefix.length] = model.embed_prefix(prefix)
    x = x.flatten(0, 1)
    for index, layer in enumerate(cast(Iterable[Layer], model.layers)):
        heads = layer.heads(layer.qkv.dense(x), config.n_heads).unflatten(0, shape)
        q, k, v = heads.permute(2, 0, 3, 1, 4)  # each [B, H, L, D_head]
        for slot, prefix, keys, values in zip(slots, prefixes, k, v, strict=False):
            cache.write_prefix(index, slot, keys[:, : prefix.length], values[:, : prefix.length])
        attended = functional.scaled_dot_product_attention(q, k, v, mask)
        x = layer.finish_many(x, attended.transpose(1, 2).flatten(2).flatten(0, 1))
    ends = [prefix.length - 1 for prefix in prefixes] + [0] * (shape[0] - len(prefixes))
    x = x.unflatten(0, shape)
    return model.head(torch.stack([row[end] for row, end in zip(x, ends, strict=True)])).float()


def _masks(prefixes: Sequence[Prefix], shape: tuple[int, int], device: torch.device) -> Tensor:
    """Return who sees whom, [B, L, L]. Padding is seen by nobody before it, and sees something."""
    b, length = shape
    masks = torch.ones(length, length, dtype=torch.bool, device=device).tril().repeat(b, 1, 1)
    for mask, prefix in zip(masks, prefixes, strict=False):
        n = len(prefix.phoneme_ids)
        mask[:n, :n] = True
    return masks
