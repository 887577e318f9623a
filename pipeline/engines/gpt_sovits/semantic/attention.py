"""Attention of whole prefixes, and of one more position of many sequences.

Products and a softmax rather than torch's fused kernel: on a CPU that is faster at these sizes, and
the fused kernel's rounding depends on how far it looks.
"""

from __future__ import annotations

import torch
from torch import Tensor


def of_prefix(heads: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return attention [n, D] of a prefix's last n positions, and its keys and values.

    Args:
        heads: Queries, keys and values of every position, [L, 3, H, D_head].
        bias: [n, L], −inf where a position does not see another.

    Returns:
        The attention, and keys and values [H, L, D_head] in fp32.
    """
    queries, keys, values = heads.permute(1, 2, 0, 3).float()  # each [H, L, D_head]
    queries = queries[:, -len(bias) :]
    scale = heads.shape[3] ** -0.5
    scores = torch.baddbmm(bias, queries, keys.transpose(1, 2), alpha=scale)
    attended = torch.bmm(scores.softmax(dim=2), values)
    return attended.transpose(0, 1).flatten(1), keys, values


def of_rows(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Return attention [n, D] of one position of each of n sequences.

    Args:
        queries: [n, H, D_head].
        keys: [n, H, span, D_head].
        values: [n, H, span, D_head].
        bias: As `rows_bias` gives, [n H, 1, span].
    """
    n, n_heads, head_width = queries.shape
    one = queries.to(keys.dtype).reshape(n * n_heads, 1, head_width)
    scores = torch.baddbmm(bias, one, keys.flatten(0, 1).transpose(1, 2), alpha=head_width**-0.5)
    return torch.bmm(scores.softmax(dim=2), values.flatten(0, 1)).view(n, n_heads * head_width)


def prefix_bias(n_phonemes: int, length: int, device: torch.device) -> Tensor:
    """Return who sees whom in a prefix, [L, L]: 0 where the row sees the column, else −inf.

    Phonemes see all phonemes; semantic tokens see those too, and the tokens before them.
    """
    sees = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    sees[:n_phonemes, :n_phonemes] = True
    return torch.zeros(length, length, device=device).masked_fill(~sees, -torch.inf)


def rows_bias(lengths: Tensor, span: int, n_heads: int, dtype: torch.dtype) -> Tensor:
    """Return what rows see that are about to write their position `lengths` [n]: [n H, 1, span]."""
    sees = torch.arange(span, device=lengths.device) <= lengths[:, None]
    bias = torch.zeros(sees.shape, device=lengths.device, dtype=dtype)
    return bias.masked_fill(~sees, -torch.inf).repeat_interleave(n_heads, dim=0)[:, None]
