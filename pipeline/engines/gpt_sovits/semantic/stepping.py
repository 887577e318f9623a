"""How prefixes are read and sequences go on, and the way of doing it that suits a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.cache import KVCache, span_for
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.runaway import MAX_NEW_TOKENS
from pipeline.engines.gpt_sovits.semantic.sampling import Limits
from pipeline.engines.gpt_sovits.semantic.slots import Slots

#: Positions of a slot at the start.
CAPACITY = 512
#: Most steps that are taken before someone looks.
MOST_STEPS = 8


class Stepper(Protocol):
    """Drives the network for the sequences in the slots."""

    cache: KVCache

    @property
    def poll_every(self) -> int:
        """Steps to take before looking at what was said; at most `MOST_STEPS`."""

    def room(self, length: int) -> int:
        """Return how many new tokens there is room for behind a prefix of so many positions.

        Raises:
            EngineError: The prefix itself is too long.
        """

    def read(self, prefixes: Sequence[Prefix], rows: Sequence[int]) -> Tensor:
        """Read prefixes into rows of the cache; return their first logits [n, V]."""

    def step(self, n: int, limits: Limits) -> None:
        """Say one more token in each of the first n rows."""


class Eager:
    """Computes what is needed when it is needed: only rows in use, only positions in use.

    Args:
        model: The network.
        slots: The sequences' state.
        capacity: Positions allocated for a sequence at the start; grows when needed.
    """

    poll_every = 1

    def __init__(self, model: TextToSemantic, slots: Slots, capacity: int | None = None) -> None:
        self._model, self._slots = model, slots
        self.cache = allocated(model, slots, capacity or CAPACITY, torch.float32)

    def room(self, length: int) -> int:  # noqa: ARG002
        """Return as many as there may be: the cache grows."""
        return MAX_NEW_TOKENS

    def read(self, prefixes: Sequence[Prefix], rows: Sequence[int]) -> Tensor:
        """Read prefixes into rows of the cache; return their first logits [n, V]."""
        self.cache.grow(max(prefix.length for prefix in prefixes) + 1)
        return self._model.prefill(prefixes, rows, self.cache)

    def step(self, n: int, limits: Limits) -> None:
        """Say one more token in each of the first n rows."""
        longest = int(self._slots.length[:n].max()) + 1
        if longest > self.cache.capacity:
            self.cache.grow(2 * self.cache.capacity)
        span = span_for(longest)

        def read(x: Tensor, lengths: Tensor) -> Tensor:
            return self._model.step(x, lengths, self.cache, span)

        self._slots.advance(self._model, read, n, limits)


def allocated(model: TextToSemantic, slots: Slots, capacity: int, dtype: torch.dtype) -> KVCache:
    """Return an empty cache for all slots."""
    config = model.config
    return KVCache(
        config.n_layers,
        slots.n_slots,
        config.n_heads,
        config.head_width,
        capacity,
        device=model.device,
        dtype=dtype,
    )
