"""The state of the sequences being decoded, a row each, and how a row takes one step.

Everything is a tensor of fixed place and size, changed in place, so that a step can be captured as
a CUDA graph; nothing here asks the device for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic import noise
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.sampling import (
    Limits,
    Sampling,
    SamplingRows,
    draw,
    penalised,
    probabilities,
)

#: Reads one more position of rows: embedded tokens [n, D] and lengths [n] → logits [n, V].
Read = Callable[[Tensor, Tensor], Tensor]

#: Upstream lets no sequence end before it has so many tokens.
MIN_NEW_TOKENS = 11


@dataclass(frozen=True, slots=True)
class Slots:
    """Rows of sequences; the first `n` are in use."""

    #: Tokens said so far; [n_slots, capacity] int64.
    tokens: Tensor
    #: How many of them there are; [n_slots] int64.
    n_new: Tensor
    #: Tokens of the prompt; [n_slots] int64.
    n_prompt: Tensor
    #: Positions in the cache; [n_slots] int64.
    length: Tensor
    #: Whether the end was said; [n_slots] bool.
    is_done: Tensor
    #: Tokens said so far or in the prompt; [n_slots, V] bool.
    seen: Tensor
    #: [n_slots] int64.
    seed: Tensor
    sampling: SamplingRows

    @property
    def n_slots(self) -> int:
        """Rows, in use or not."""
        return len(self.length)

    @classmethod
    def empty(cls, n_slots: int, n_tokens: int, capacity: int, device: torch.device) -> Slots:
        """Return slots without sequences."""

        def zeros(*shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        return cls(
            tokens=zeros(n_slots, capacity),
            n_new=zeros(n_slots),
            n_prompt=zeros(n_slots),
            length=zeros(n_slots),
            is_done=~zeros(n_slots, dtype=torch.bool),
            seen=zeros(n_slots, n_tokens, dtype=torch.bool),
            seed=zeros(n_slots),
            sampling=SamplingRows.empty(n_slots, device),
        )

    def begin(self, row: int, prefix: Prefix, seed: int, sampling: Sampling) -> None:
        """Give a row a new sequence, whose prefix is in the cache."""
        self.n_new[row] = 0
        self.n_prompt[row] = len(prefix.prompt)
        self.length[row] = prefix.length
        self.is_done[row] = False
        self.seen[row] = False
        self.seen[row, prefix.prompt] = True
        self.seed[row] = seed
        self.sampling.set(row, sampling)

    def clear(self, row: int | None = None) -> None:
        """Take the sequence from a row, or all sequences: nothing grows there any more."""
        at = slice(None) if row is None else row
        self.is_done[at] = True
        self.length[at] = 0
        self.n_new[at] = 0

    def move(self, source: int, target: int) -> None:
        """Copy one row to another."""
        for field in fields(self):
            values = getattr(self, field.name)
            if isinstance(values, SamplingRows):
                values.copy(source, target)
            else:
                values[target] = values[source]

    def advance(self, model: TextToSemantic, read: Read, n: int, limits: Limits) -> None:
        """Say one more token in each of the first n rows; rows that are done stay as they are.

        Args:
            model: Embeds the tokens.
            read: Gives the next logits [n, V] of embedded tokens [n, D] at positions [n].
            n: Rows.
            limits: What the rows' parameters reach.
        """
        last = self.tokens[:n].gather(1, (self.n_new[:n, None] - 1).clamp(min=0))[:, 0]
        x = model.embed_tokens(last, (self.n_prompt[:n] + self.n_new[:n] - 1).clamp(min=0))
        logits = read(x, self.length[:n])
        self.length[:n] += ~self.is_done[:n]
        rows = torch.arange(n, device=logits.device)
        self.choose(logits, rows, limits)

    def choose(self, logits: Tensor, rows: Tensor, limits: Limits) -> None:
        """Choose the next token of rows [n] from their logits [n, V].

        A sequence ends when the end is drawn, and also when it is the likeliest token.
        """
        n_new, eos = self.n_new[rows], logits.shape[1] - 1
        too_early = n_new < MIN_NEW_TOKENS
        logits[:, eos] = logits[:, eos].masked_fill(too_early, -torch.inf)
        sampling = self.sampling.at(rows)
        logits = penalised(logits, self.seen[rows], sampling)
        chances = probabilities(logits, sampling, limits)
        token = draw(chances, noise.exponential(self.seed[rows], n_new, logits.shape[1]))
        is_done = self.is_done[rows] | (token == eos) | (logits.argmax(dim=1) == eos)
        self.tokens[rows, n_new] = token
        self.seen[rows, token] = torch.ones_like(token, dtype=torch.bool)
        self.n_new[rows] = n_new + ~is_done
        self.is_done[rows] = is_done

    def news(self, n_last: int) -> Tensor:
        """Return what there is to know of each row, [n_slots, 2 + n_last], to be copied at once.

        It is whether the row is done, how many tokens it has, and the last of them.
        """
        places = torch.arange(-n_last, 0, device=self.n_new.device) + self.n_new[:, None]
        last = self.tokens.gather(1, places.clamp(min=0))
        return torch.cat((self.is_done[:, None].long(), self.n_new[:, None], last), dim=1)
