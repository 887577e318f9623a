"""Many sequences at once: a slot is refilled as soon as its sequence ends.

No sequence waits for the longest of its batch, and none feels the others: what is random comes from
the sequence's seed (noise.py), what is computed does not depend on the number of rows (linear.py,
cache.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.cache import KVCache, span_for
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.runaway import MAX_NEW_TOKENS, is_looping
from pipeline.engines.gpt_sovits.semantic.sampling import Limits, Sampling
from pipeline.engines.gpt_sovits.semantic.slots import Slots

#: How a sequence ended: by itself, at its limit, or because it went round in circles.
Ending = Literal["end", "limit", "loop"]

#: A sequence is looked at for loops each time it has so many more tokens. Counted in its own
#: tokens, not in steps of the batch, or what counts as a loop would depend on the batch.
LOOK_EVERY = 16


@dataclass(frozen=True, slots=True)
class SemanticRequest:
    """One sequence to decode."""

    prefix: Prefix
    seed: int
    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = MAX_NEW_TOKENS
    #: Whether to give up on a sequence that repeats itself.
    stops_loops: bool = True


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded sequence."""

    #: Without prompt and end mark; [T_sem] int64, on the CPU.
    tokens: Tensor
    ending: Ending


@dataclass(slots=True)
class _Sequence:
    """A sequence in a slot."""

    index: int
    request: SemanticRequest
    #: Tokens that were looked at for loops.
    n_looked: int = 0

    def ending(self, tokens: list[int], *, is_done: bool) -> tuple[int, Ending] | None:
        """Return at how many tokens the sequence ended, and how; None while it goes on."""
        if self.request.stops_loops:
            while (n := self.n_looked + LOOK_EVERY) <= len(tokens):
                self.n_looked = n
                if is_looping(tokens[:n]):
                    return n, "loop"
        if len(tokens) >= self.request.max_new_tokens:
            return self.request.max_new_tokens, "limit"
        return (len(tokens), "end") if is_done else None


class Decoder:
    """Decodes sequences in up to `n_slots` slots.

    Args:
        model: The network.
        n_slots: How many sequences at most are decoded side by side.
        capacity: Positions allocated for a sequence at the start; grows when needed.
    """

    def __init__(self, model: TextToSemantic, *, n_slots: int = 16, capacity: int = 512) -> None:
        config = model.config
        self._model, self._n_slots = model, n_slots
        self._cache = KVCache(
            config.n_layers,
            n_slots,
            config.n_heads,
            config.head_width,
            capacity,
            device=model.device,
        )
        self._slots = Slots.empty(n_slots, config.n_tokens, MAX_NEW_TOKENS + 2, model.device)

    @property
    def n_bytes(self) -> int:
        """Memory of keys and values."""
        return self._cache.n_bytes

    @torch.inference_mode()
    def decode(self, requests: Sequence[SemanticRequest]) -> Iterator[tuple[int, Decoded]]:
        """Yield each request's index with what it became, as sequences end."""
        waiting = deque(_Sequence(index, request) for index, request in enumerate(requests))
        running: list[_Sequence] = []
        while waiting or running:
            if waiting and len(running) < self._n_slots:
                self._admit(waiting, running)
            else:
                self._step(running)
            yield from self._collect(running)

    @torch.inference_mode()
    def stream(self, request: SemanticRequest, every: int) -> Iterator[Decoded | Tensor]:
        """Yield the tokens so far [T_sem] each time `every` more are there; at last the whole."""
        running: list[_Sequence] = []
        self._admit(deque([_Sequence(0, request)]), running)
        while running:
            for _, decoded in self._collect(running):
                yield decoded
                return
            n_new = int(self._slots.n_new[0])
            if n_new and n_new % every == 0:
                yield self._slots.tokens[0, :n_new].cpu()
            self._step(running)

    def _admit(self, waiting: deque[_Sequence], running: list[_Sequence]) -> None:
        """Read the prefixes of as many waiting sequences as there are free slots."""
        n_free = self._n_slots - len(running)
        new = [waiting.popleft() for _ in range(min(n_free, len(waiting)))]
        rows = range(len(running), len(running) + len(new))
        running.extend(new)
        prefixes = [each.request.prefix for each in new]
        self._cache.grow(max(prefix.length for prefix in prefixes) + 1)
        logits = self._model.prefill(prefixes, rows, self._cache)
        for row, each in zip(rows, new, strict=True):
            request = each.request
            self._slots.begin(row, request.prefix, request.seed, request.sampling)
        index = torch.tensor(rows, device=logits.device)
        self._slots.choose(logits, index, _limits(new))

    def _step(self, running: list[_Sequence]) -> None:
        n = len(running)
        longest = int(self._slots.length[:n].max()) + 1
        if longest > self._cache.capacity:
            self._cache.grow(2 * self._cache.capacity)
        self._slots.advance(self._model, self._cache, n, span_for(longest), _limits(running))

    def _collect(self, running: list[_Sequence]) -> Iterator[tuple[int, Decoded]]:
        """Yield what has ended, and close the gaps it leaves."""
        is_done, n_new = self._slots.is_done.tolist(), self._slots.n_new.tolist()
        for row in reversed(range(len(running))):
            tokens = self._slots.tokens[row, : n_new[row]]
            ended = running[row].ending(tokens.tolist(), is_done=is_done[row])
            if ended:
                n, ending = ended
                yield running[row].index, Decoded(tokens[:n].to("cpu", copy=True), ending)
                self._leave(row, running)

    def _leave(self, row: int, running: list[_Sequence]) -> None:
        """Free a row; the last sequence moves into it."""
        last = len(running) - 1
        if row != last:
            self._cache.move(last, row, int(self._slots.length[last]))
            self._slots.move(last, row)
            running[row] = running[last]
        running.pop()


def _limits(sequences: Sequence[_Sequence]) -> Limits:
    return Limits.of(each.request.sampling for each in sequences)
