"""Keys and values of everything said so far, a slot for each sequence, allocated ahead."""

from __future__ import annotations

import torch
from torch import Tensor

#: Positions are allocated, and attended to, in multiples of this. Sums over masked positions add
#: exact zeros, so that a row's result does not depend on how long its batch-mates are.
SPAN = 64


def span_for(length: int) -> int:
    """Return how many positions to look at so that `length` are among them."""
    return -(-length // SPAN) * SPAN


class KVCache:
    """Keys and values: for each layer [n_slots, H, capacity, D_head], in fp32."""

    def __init__(
        self,
        n_layers: int,
        n_slots: int,
        n_heads: int,
        head_width: int,
        capacity: int,
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (n_layers, n_slots, n_heads, span_for(capacity), head_width)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)

    @property
    def capacity(self) -> int:
        """Positions in a slot."""
        return self.keys.shape[3]

    @property
    def n_bytes(self) -> int:
        """Memory in use."""
        return 2 * self.keys.numel() * self.keys.element_size()

    def grow(self, capacity: int) -> None:
        """Make room for more positions; keeps what is stored."""
        if capacity <= self.capacity:
            return
        for name in ("keys", "values"):
            old: Tensor = getattr(self, name)
            shape = (*old.shape[:3], span_for(capacity), old.shape[4])
            new = torch.zeros(shape, device=old.device, dtype=old.dtype)
            new[:, :, :, : old.shape[3]] = old
            setattr(self, name, new)

    def write_prefix(self, layer: int, slot: int, keys: Tensor, values: Tensor) -> None:
        """Store the keys and values [H, L, D_head] of a sequence's first positions."""
        length = keys.shape[1]
        self.keys[layer, slot, :, :length] = keys
        self.values[layer, slot, :, :length] = values

    def append(self, layer: int, lengths: Tensor, keys: Tensor, values: Tensor) -> None:
        """Store one more position [n, H, D_head] of the first n slots, at their lengths [n]."""
        rows = torch.arange(len(lengths), device=lengths.device)
        self.keys[layer][rows, :, lengths] = keys.to(self.keys.dtype)
        self.values[layer][rows, :, lengths] = values.to(self.values.dtype)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a slot's first positions to another slot."""
        for stored in (self.keys, self.values):
            stored[:, target, :, :length] = stored[:, source, :, :length]
