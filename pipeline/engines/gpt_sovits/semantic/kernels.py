"""Two kernels for GPUs, in Triton, which torch for CUDA brings along on Linux.

Each row is computed by itself, in an order that depends on nothing but the row. A step would
otherwise need three times as many kernels, and read all positions of the cache instead of those
that a sequence has.
"""

from __future__ import annotations

from importlib import util

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig

HAS_TRITON = util.find_spec("triton") is not None
if HAS_TRITON:
    import triton
    import triton.language as tl

#: Positions looked at together.
BLOCK = 128


def suit(config: SemanticConfig) -> bool:
    """Tell whether the kernels can be had, and serve a network of this size."""
    return HAS_TRITON and all(n & (n - 1) == 0 for n in (config.width, config.head_width))


def attend(qkv: Tensor, keys: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
    """Store one more position of each row, and return what it finds in all of them, [n, D].

    Args:
        qkv: Queries, keys and values of the position, [n, 3D].
        keys: Of the positions before it, [n, H, capacity, D_head]; the new one is added.
        values: The same.
        lengths: How many positions each row has before this one, [n] int64.
    """
    n, n_heads, _, head_width = keys.shape
    assert qkv.is_contiguous()
    assert keys.stride() == values.stride()
    assert keys.stride()[2:] == (head_width, 1)
    out = torch.empty(n, n_heads * head_width, dtype=keys.dtype, device=keys.device)
    _attend[n, n_heads](
        qkv,
        keys,
        values,
        lengths,
        out,
        head_width**-0.5,
        keys.stride(0),
        keys.stride(1),
        n_heads=n_heads,
        head_width=head_width,
        block=BLOCK,
    )
    return out


def add_norm(x: Tensor, y: Tensor, norm: nn.LayerNorm, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the norm of x + y [n, D] in fp32, and the same rounded to another precision."""
    n, width = x.shape
    assert x.is_contiguous()
    assert y.is_contiguous()
    exact, rounded = torch.empty_like(x), torch.empty_like(x, dtype=dtype)
    _add_norm[n,](x, y, norm.weight, norm.bias, exact, rounded, norm.eps, width=width)
    return exact, rounded


if HAS_TRITON:

    @triton.jit
    def _attend(
        qkv,
        keys,
        values,
        lengths,
        out,
        scale,
        row_stride,
        head_stride,
        n_heads: tl.constexpr,
        head_width: tl.constexpr,
        block: tl.constexpr,
    ):
        """One head of one row: softmax(q Kᵀ) V, block after block (Milakov and Gimelshein 2018)."""
        row = tl.program_id(0).to(tl.int64)
        head = tl.program_id(1).to(tl.int64)
        width = n_heads * head_width
        column = tl.arange(0, head_width)
        own = qkv + row * 3 * width + head * head_width + column
        store = row * row_stride + head * head_stride + column
        length = tl.load(lengths + row)
        query = tl.load(own).to(tl.float32) * scale
        new_key = tl.load(own + width).to(keys.dtype.element_ty)
        new_value = tl.load(own + 2 * width).to(values.dtype.element_ty)
        tl.store(keys + store + length * head_width, new_key)
        tl.store(values + store + length * head_width, new_value)
        # The new position is seen first, from here: what was just stored cannot be read yet.
        highest = tl.sum(query * new_key.to(tl.float32), 0)
        total = tl.exp(highest - highest)
        found = new_value.to(tl.float32)
        for start in range(0, length, block):
            position = start + tl.arange(0, block)
            is_there = position < length
            place = store[None, :] + position[:, None] * head_width
            key = tl.load(keys + place, mask=is_there[:, None], other=0.0).to(tl.float32)
            value = tl.load(values + place, mask=is_there[:, None], other=0.0).to(tl.float32)
            score = tl.where(is_there, tl.sum(query[None, :] * key, 1), float("-inf"))
            higher = tl.maximum(highest, tl.max(score, 0))
            fade = tl.exp(highest - higher)
            weight = tl.exp(score - higher)
            total = total * fade + tl.sum(weight, 0)
            found = found * fade + tl.sum(weight[:, None] * value, 0)
            highest = higher
        tl.store(
            out + row * width + head * head_width + column, (found / total).to(out.dtype.element_ty)
        )

    @triton.jit
    def _add_norm(x, y, gain, bias, exact, rounded, eps, width: tl.constexpr):
        """One row of a layer norm (Ba et al. 2016) of a sum."""
        row = tl.program_id(0).to(tl.int64)
        column = tl.arange(0, width)
        place = row * width + column
        both = tl.load(x + place) + tl.load(y + place).to(tl.float32)
        centred = both - tl.sum(both, 0) / width
        variance = tl.sum(centred * centred, 0) / width
        normed = centred * tl.rsqrt(variance + eps) * tl.load(gain + column) + tl.load(
            bias + column
        )
        tl.store(exact + place, normed)
        tl.store(rounded + place, normed.to(rounded.dtype.element_ty))
