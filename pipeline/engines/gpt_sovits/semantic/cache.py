"""Keys and values of everything said so far, a slot for each sequence, allocated ahead."""

from __future__ import annotations

import torch
from torch import Tensor

#: Positions are attended to in multiples of this, the width of a vector register. Sums over masked
#: positions then add exact zeros in the same order, so that a row's result does not depend on how
#: long its batch-mates are.
SPAN = 16


def span_for(length: int) -> int:
    """Return how many positions to look at so that `length` are among them."""
    return -(-length // SPAN) * SPAN


class KVCache:
    """Keys and values: for each layer [2, n_slots, H, capacity, D_head]."""

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
        shape = (n_layers, 2, n_slots, n_heads, span_for(capacity), head_width)
        self._stored = torch.zeros(shape, device=device, dtype=dtype)

    @property
    def capacity(self) -> int:
        """Positions in a slot."""
        return self._stored.shape[4]

    @property
    def dtype(self) -> torch.dtype:
        """What is stored."""
        return self._stored.dtype

    @property
    def n_bytes(self) -> int:
        """Memory in use."""
        return self._stored.numel() * self._stored.element_size()

    def grow(self, capacity: int) -> None:
        """Make room for more positions; keeps what is stored."""
        if capacity <= self.capacity:
            return
        old = self._stored
        shape = (*old.shape[:4], span_for(capacity), old.shape[5])
        self._stored = torch.zeros(shape, device=old.device, dtype=old.dtype)
        self._stored[..., : old.shape[4], :] = old

    def read(self, layer: int, n: int, span: int) -> tuple[Tensor, Tensor]:
        """Return keys and values of the first n slots' first positions, [n, H, span, D_head]."""
        keys, values = self._stored[layer, :, :n, :, :span].unbind(0)
        return keys, values

    def write_prefix(self, layer: int, slot: int, keys: Tensor, values: Tensor) -> None:
        """Store the keys and values [H, L, D_head] of a sequence's first positions."""
        length = keys.shape[1]
        self._stored[layer, 0, slot, :, :length] = keys
        self._stored[layer, 1, slot, :, :length] = values

    def append(self, layer: int, lengths: Tensor, keys_values: Tensor) -> None:
        """Store one more position of the first n slots, at their lengths [n].

        Args:
            layer: Of the network.
            lengths: [n] int64.
            keys_values: [n, 2, H, D_head].
        """
        rows = torch.arange(len(lengths), device=lengths.device)
        self._stored[layer][:, rows, :, lengths] = keys_values.to(self._stored.dtype)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a slot's first positions to another slot."""
        self._stored[:, :, target, :, :length] = self._stored[:, :, source, :, :length]
