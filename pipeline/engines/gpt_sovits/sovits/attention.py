"""The transformer of VITS: attention with learned embeddings of nearby relative positions.

Shaw, Uszkoreit and Vaswani, "Self-Attention with Relative Position Representations" (2018), with
window 4 and embeddings shared by the heads; normalised after each residual, and with convolutions
as feed-forward layers. Upstream: module/attentions.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: How far apart positions may be to have an embedding of their own.
WINDOW = 4
#: Score of what must not be seen; upstream's number, finite so that half precision holds it.
HIDDEN = -1e4


class Attention(nn.Module):
    """Multi-head attention without positions.

    Args:
        width: D, a multiple of the number of heads.
        n_heads: H.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Let every position of one sequence look at another sequence.

        Args:
            x: What asks, [B, T, D].
            memory: What is looked at, [B, T_memory, D].
            memory_mask: What of it is there, boolean [B, T_memory].
        """
        query = self._split(self.query(x)) * (x.shape[-1] // self.n_heads) ** -0.5
        key, value = self._split(self.key(memory)), self._split(self.value(memory))
        scores = query @ key.transpose(-1, -2) + self._near_scores(query)
        weights = scores.masked_fill(~memory_mask[:, None, None], HIDDEN).softmax(-1)
        heard = weights @ value + self._near_values(weights)  # [B, H, T, D / H]
        return self.output(heard.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        """[B, T, D] → [B, H, T, D / H]."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def _near_scores(self, query: Tensor) -> Tensor | float:  # noqa: ARG002
        return 0.0

    def _near_values(self, weights: Tensor) -> Tensor | float:  # noqa: ARG002
        return 0.0


class RelativeAttention(Attention):
    """Self-attention that knows the distance of positions up to the window apart."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__(width, n_heads)
        near = (2 * WINDOW + 1, width // n_heads)
        self.near_keys = nn.Parameter(torch.zeros(near))
        self.near_values = nn.Parameter(torch.zeros(near))

    def _near_scores(self, query: Tensor) -> Tensor:
        """[B, H, T, D / H] → [B, H, T, T]: by distance first, then laid along the diagonals."""
        b, h, t, _ = query.shape
        by_distance = query @ self.near_keys.T  # [B, H, T, 2 * WINDOW + 1]
        position = torch.arange(t, device=query.device)
        distance = position[None, :] - position[:, None] + WINDOW
        is_near = (distance >= 0) & (distance <= 2 * WINDOW)
        index = distance.clamp(0, 2 * WINDOW).expand(b, h, t, t)
        return by_distance.gather(-1, index) * is_near

    def _near_values(self, weights: Tensor) -> Tensor:
        """[B, H, T, T] → [B, H, T, D / H]: the diagonals as weights of the embeddings."""
        b, h, t, _ = weights.shape
        position = torch.arange(t, device=weights.device)
        offset = torch.arange(-WINDOW, WINDOW + 1, device=weights.device)
        other = position[:, None] + offset  # [T, 2 * WINDOW + 1]
        exists = (other >= 0) & (other < t)
        index = other.clamp(0, t - 1).expand(b, h, t, 2 * WINDOW + 1)
        return (weights.gather(-1, index) * exists) @ self.near_values


class FeedForward(nn.Module):
    """Two convolutions with a rectifier between them."""

    def __init__(self, width: int, inner_width: int, kernel_size: int) -> None:
        super().__init__()
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2)
        self.inner = nn.Conv1d(width, inner_width, kernel_size)
        self.outer = nn.Conv1d(inner_width, width, kernel_size)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D] → [B, T, D]; what the mask [B, T, 1] hides is silence to its neighbours."""
        x, mask = (x * mask).transpose(1, 2), mask.transpose(1, 2)
        x = self.inner(functional.pad(x, self.padding)).relu() * mask
        x = self.outer(functional.pad(x, self.padding)) * mask
        return x.transpose(1, 2)


class Layer(nn.Module):
    """Attention and feed-forward, each with a residual that is normalised."""

    def __init__(self, width: int, inner_width: int, n_heads: int, kernel_size: int) -> None:
        super().__init__()
        self.attention = RelativeAttention(width, n_heads)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, inner_width, kernel_size)
        self.feed_forward_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """[B, T, D] and boolean [B, T] → [B, T, D]."""
        x = self.attention_norm(x + self.attention(x, x, mask))
        return self.feed_forward_norm(x + self.feed_forward(x, mask[..., None]))


class Transformer(nn.Module):
    """Several layers over a padded batch."""

    def __init__(
        self, n_layers: int, width: int, inner_width: int, n_heads: int, kernel_size: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Layer(width, inner_width, n_heads, kernel_size) for _ in range(n_layers)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return [B, T, D], zero where the boolean mask [B, T] hides the input."""
        shown = mask[..., None]
        x = x * shown
        for layer in self.layers:
            x = layer(x, mask)
        return x * shown
