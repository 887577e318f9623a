"""Linear maps whose rows do not feel each other, in the precisions the GPT stage knows.

A chunk's tokens must not depend on its batch-mates, down to the last bit, or near ties in sampling
would fall differently from run to run. What a row comes out as must therefore not depend on how
many rows there are. Of the kernels torch uses on CPUs, bf16 and int8 have that property for any
number of rows; fp32 has it for multiples of `ROWS_MULTIPLE`, so there rows are padded.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Precision = Literal["fp32", "bf16", "fp16", "int8"]

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.bfloat16,  # what flows in and out of integer weights
}

#: Number of rows that fp32 and fp16 products are padded to a multiple of.
ROWS_MULTIPLE = 4


class RowLinear(nn.Module):
    """y = x Wᵀ + b in fp32, bf16 or fp16; takes and gives fp32."""

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.to(dtype), requires_grad=False)  # [D_out, D_in]
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [M, D_in] to [M, D_out]."""
        m, _ = x.shape
        x = x.to(self.weight.dtype)
        extra = 0 if x.dtype == torch.bfloat16 or x.is_cuda else -m % ROWS_MULTIPLE
        if extra:
            x = functional.pad(x, (0, 0, 0, extra))
        y = functional.linear(x, self.weight)[:m].float()
        return y if self.bias is None else y + self.bias

    def dense(self, x: Tensor) -> Tensor:
        """Map many rows at once; the same as calling."""
        return self(x)


class Int8Linear(nn.Module):
    """y = x Wᵀ + b with 8-bit weights and one scale a row of W; takes and gives fp32.

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

    def forward(self, x: Tensor) -> Tensor:
        """Map [M, D_in] to [M, D_out], for a few rows."""
        if x.is_cuda:
            return self.dense(x)
        y = torch._weight_int8pack_mm(x.bfloat16(), self.weight, self.scale).float()
        return y if self.bias is None else y + self.bias

    def dense(self, x: Tensor) -> Tensor:
        """Map many rows at once: widening the weights first pays off."""
        widened = self.weight.to(torch.bfloat16) * self.scale[:, None]
        y = functional.linear(x.bfloat16(), widened).float()
        return y if self.bias is None else y + self.bias


Linear = RowLinear | Int8Linear


def linear(weight: Tensor, bias: Tensor | None, precision: Precision) -> Linear:
    """Return the map in a precision."""
    if precision == "int8":
        return Int8Linear(weight, bias)
    return RowLinear(weight, bias, DTYPES[precision])


def _next_up(positive: Tensor) -> Tensor:
    """Return the next larger bf16 of positive numbers."""
    return (positive.view(torch.int16) + 1).view(torch.bfloat16)
