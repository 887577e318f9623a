"""Linear maps whose rows do not feel each other, in the precisions the GPT stage knows.

A chunk's tokens must not depend on its batch-mates, down to the last bit, or near ties in sampling
would fall differently from run to run. What a row comes out as must therefore not depend on how
many rows there are. Of the kernels torch uses on CPUs, those for int8 weights have that property
for any number of rows; the others have it for multiples of `ROWS_MULTIPLE` (in bf16 it is a single
row that is summed up in another order), so there rows are padded. Processors that multiply bf16 in
tiles (AMX) sum up many rows in another order than few, and that order depends on the threads too:
there many rows are multiplied in blocks of few.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Precision = Literal["fp32", "bf16", "fp16", "int8"]

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

#: Number of rows that products of floating-point weights are padded to a multiple of.
ROWS_MULTIPLE = 4
#: Most rows of bf16 that a processor with tiles sums up as it does a few, however many threads.
TILED_ROWS = 32
#: Rows that the packed layout is made for; it serves any number.
TYPICAL_ROWS = 16


class RowLinear(nn.Module):
    """y = x Wᵀ + b, on any device; gives the precision of its weights."""

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.to(dtype), requires_grad=False)  # [D_out, D_in]
        self.bias = None if bias is None else nn.Parameter(bias.to(dtype), requires_grad=False)

    def forward(self, x: Tensor, *, relu: bool = False) -> Tensor:
        """Map [M, D_in] to [M, D_out]."""
        y = _by_rows(
            lambda rows: functional.linear(rows, self.weight, self.bias), x.to(self.weight.dtype)
        )
        return y.relu_() if relu else y

    dense = forward


class PackedLinear(nn.Module):
    """The same on a CPU, with weights in the layout that oneDNN multiplies fastest.

    Without it oneDNN arranges the weights anew for every product, which for a few rows takes as
    long as the product. Equal to `RowLinear` to the last bit.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.n_bytes = dtype, weight.numel() * dtype.itemsize
        # Neither a parameter nor a buffer: the layout cannot leave the CPU.
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype), TYPICAL_ROWS)
        self.bias = None if bias is None else nn.Parameter(bias.to(dtype), requires_grad=False)

    def forward(self, x: Tensor, *, relu: bool = False) -> Tensor:
        """Map [M, D_in] to [M, D_out]."""
        after = "relu" if relu else "none"
        return _by_rows(
            lambda rows: torch.ops.mkldnn._linear_pointwise(
                rows, self._packed, self.bias, after, [], ""
            ),
            x.to(self.dtype).contiguous(),
        )

    dense = forward


class Int8Linear(nn.Module):
    """The same with 8-bit weights and one scale a row of W; sums are rounded to bf16.

    Scales are rounded up to bf16 before the weights are divided by them, so that the kernel's
    bf16 scales lose nothing.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        weight = weight.float()
        peak = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        scale = peak.bfloat16()
        scale = torch.where(scale.float() < peak, _next_up(scale), scale)
        quantized = (weight / scale.float()[:, None]).round().clamp(-127, 127)
        self.register_buffer("weight", quantized.to(torch.int8).contiguous())
        self.register_buffer("scale", scale)
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)

    def forward(self, x: Tensor, *, relu: bool = False) -> Tensor:
        """Map [M, D_in] to [M, D_out]."""
        if x.is_cuda:
            return self.dense(x, relu=relu)
        y = torch._weight_int8pack_mm(x.bfloat16(), self.weight, self.scale)
        return self._finished(y, relu=relu)

    def dense(self, x: Tensor, *, relu: bool = False) -> Tensor:
        """Map many rows at once; rounded otherwise than by calling."""
        weight = self.weight.to(torch.bfloat16) * self.scale[:, None]
        y = _by_rows(lambda rows: functional.linear(rows, weight), x.bfloat16())
        return self._finished(y, relu=relu)

    def _finished(self, y: Tensor, *, relu: bool) -> Tensor:
        y = y.float() if self.bias is None else y + self.bias
        return y.relu_() if relu else y


Linear = RowLinear | PackedLinear | Int8Linear


def linear(
    weight: Tensor, bias: Tensor | None, precision: Precision, device: torch.device
) -> Linear:
    """Return the map in a precision, for a device."""
    if precision == "int8":
        return Int8Linear(weight, bias)
    kind = PackedLinear if device.type == "cpu" and _can_pack(precision) else RowLinear
    return kind(weight, bias, DTYPES[precision])


def has_fast_bf16() -> bool:
    """Tell whether this machine's processor multiplies bf16 natively."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _can_pack(precision: Precision) -> bool:
    """Tell whether oneDNN multiplies in a precision here: bf16 takes more than AVX2."""
    known = precision == "fp32" or (precision == "bf16" and has_fast_bf16())
    return known and torch.backends.mkldnn.is_available()


@cache
def _has_tiles() -> bool:
    return torch.cpu._is_amx_tile_supported()


def _by_rows(product: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Multiply rows [M, D_in] by as many at once as come out the same in any company."""
    if x.is_cuda:
        return product(x)
    padded = functional.pad(x, (0, 0, 0, -len(x) % ROWS_MULTIPLE))
    if x.dtype != torch.bfloat16 or len(padded) <= TILED_ROWS or not _has_tiles():
        return product(padded)[: len(x)]
    return torch.cat([product(rows) for rows in padded.split(TILED_ROWS)])[: len(x)]


def _next_up(positive: Tensor) -> Tensor:
    """Return the next larger bf16 of positive numbers."""
    return (positive.view(torch.int16) + 1).view(torch.bfloat16)
