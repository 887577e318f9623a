"""Many sequences at once: a slot is refilled as soon as its sequence ends.

No sequence waits for the longest of its batch, and none feels the others: what is random comes from
the sequence's seed (noise.py), what is computed does not depend on the number of rows (linear.py,
cache.py; on a GPU graph.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.graph import FixedRows
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.runaway import MAX_NEW_TOKENS, is_looping
from pipeline.engines.gpt_sovits.semantic.sampling import Limits, Sampling
from pipeline.engines.gpt_sovits.semantic.slots import Slots
from pipeline.engines.gpt_sovits.semantic.stepping import MOST_STEPS, Eager, Stepper

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
    #: So many tokens at most.
    limit: int
    #: What was said, as far as it is known.
    tokens: list[int] = field(default_factory=list)
    #: Tokens that were looked at for loops.
    n_looked: int = 0

    def hear(self, n_tokens: int, last: list[int]) -> None:
        """Take note of the last of so many tokens."""
        self.tokens += last[len(last) - (n_tokens - len(self.tokens)) :]

    def ending(self, *, is_done: bool) -> tuple[int, Ending] | None:
        """Return at how many tokens the sequence ended, and how; None while it goes on.

        It does not matter whether one looks late: the answer is that of looking at every token.
        """
        n_tokens = min(len(self.tokens), self.limit)
        if self.request.stops_loops:
            while (n := self.n_looked + LOOK_EVERY) <= n_tokens:
                self.n_looked = n
                if is_looping(self.tokens[:n]):
                    return n, "loop"
        if n_tokens == self.limit:
            return n_tokens, "limit"
        return (n_tokens, "end") if is_done else None


#: Makes what drives the network for the slots.
MakeStepper = Callable[[TextToSemantic, Slots, int | None], Stepper]


class Decoder:
    """Decodes sequences in up to `n_slots` slots.

    Args:
        model: The network.
        n_slots: How many sequences at most are decoded side by side.
        capacity: Positions allocated for a sequence: on a CPU at the start, growing when needed;
            on a GPU for good.
        make_stepper: What drives the network, in place of what suits its device.
    """

    def __init__(
        self,
        model: TextToSemantic,
        *,
        n_slots: int = 16,
        capacity: int | None = None,
        make_stepper: MakeStepper | None = None,
    ) -> None:
        # A sequence may go on beyond its limit until someone looks.
        longest = MAX_NEW_TOKENS + MOST_STEPS + 1
        self._slots = Slots.empty(n_slots, model.config.n_tokens, longest, model.device)
        default: MakeStepper = FixedRows if model.device.type == "cuda" else Eager
        self._stepper = (make_stepper or default)(model, self._slots, capacity)
        assert self._stepper.poll_every <= MOST_STEPS

    @property
    def n_bytes(self) -> int:
        """Memory of keys and values."""
        return self._stepper.cache.n_bytes

    def require_room(self, length: int) -> None:
        """Refuse a prefix of so many positions if that is too long.

        Raises:
            EngineError: It does not fit into a slot.
        """
        self._stepper.room(length)

    @torch.inference_mode()
    def decode(self, requests: Sequence[SemanticRequest]) -> Iterator[tuple[int, Decoded]]:
        """Yield each request's index with what it became, as sequences end.

        Raises:
            EngineError: A prefix is too long.
        """
        waiting = deque(self._sequence(index, request) for index, request in enumerate(requests))
        running: list[_Sequence] = []
        ended: list[tuple[int, Decoded]] = []
        self._slots.clear()
        while waiting or running:
            self._admit(waiting, running)
            self._advance(running, self._stepper.poll_every)
            yield from ended  # Only now: whoever takes them works while the device is busy.
            ended = self._collect(running)
        yield from ended

    @torch.inference_mode()
    def stream(self, request: SemanticRequest, every: int) -> Iterator[Decoded | Tensor]:
        """Yield the tokens so far [T_sem] each time `every` more are there; at last the whole.

        Raises:
            EngineError: The prefix is too long.
        """
        running: list[_Sequence] = []
        self._slots.clear()
        self._admit(deque([self._sequence(0, request)]), running)
        while True:
            for _, decoded in self._collect(running):
                yield decoded
                return
            tokens = running[0].tokens
            n_until = every - len(tokens) % every
            if tokens and n_until == every:
                yield torch.tensor(tokens)
            self._advance(running, min(n_until, self._stepper.poll_every))

    def _sequence(self, index: int, request: SemanticRequest) -> _Sequence:
        room = self._stepper.room(request.prefix.length)
        return _Sequence(index, request, limit=min(request.max_new_tokens, room))

    def _admit(self, waiting: deque[_Sequence], running: list[_Sequence]) -> None:
        """Read the prefixes of as many waiting sequences as there are free slots."""
        n_new = min(self._slots.n_slots - len(running), len(waiting))
        if not n_new:
            return
        new = [waiting.popleft() for _ in range(n_new)]
        rows = range(len(running), len(running) + n_new)
        running.extend(new)
        logits = self._stepper.read([each.request.prefix for each in new], rows)
        for row, each in zip(rows, new, strict=True):
            request = each.request
            self._slots.begin(row, request.prefix, request.seed, request.sampling)
        index = torch.arange(rows.start, rows.stop, device=logits.device)
        self._slots.choose(logits, index, _limits(new))

    def _advance(self, running: list[_Sequence], n_steps: int) -> None:
        limits = _limits(running)
        for _ in range(n_steps):
            self._stepper.step(len(running), limits)

    def _collect(self, running: list[_Sequence]) -> list[tuple[int, Decoded]]:
        """Look at what was said; return what has ended, and close the gaps it leaves."""
        ended: list[tuple[int, Decoded]] = []
        # The first token comes with the prefix, before any step.
        news = self._slots.news(self._stepper.poll_every + 1).tolist()
        for row in reversed(range(len(running))):
            is_done, n_tokens, *last = news[row]
            sequence = running[row]
            sequence.hear(n_tokens, last)
            if found := sequence.ending(is_done=bool(is_done)):
                n, ending = found
                tokens = torch.tensor(sequence.tokens[:n], dtype=torch.int64)
                ended.append((sequence.index, Decoded(tokens, ending)))
                self._leave(row, running)
        return ended

    def _leave(self, row: int, running: list[_Sequence]) -> None:
        """Free a row; the last sequence moves into it."""
        last = len(running) - 1
        if row != last:
            moved = running[last]
            length = moved.request.prefix.length + len(moved.tokens)
            self._stepper.cache.move(last, row, length)
            self._slots.move(last, row)
            running[row] = moved
        self._slots.clear(last)
        running.pop()


def _limits(sequences: Sequence[_Sequence]) -> Limits:
    return Limits.of(each.request.sampling for each in sequences)
