"""Logits → the next semantic token; every row with parameters of its own.

The order of the steps is upstream's (AR/models/utils.py, `logits_to_probs` and `sample`):
repetition penalty, top-p, temperature, top-k, softmax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from pipeline.errors import RequestError

#: Lowest temperature that is not taken for greedy.
MIN_TEMPERATURE = 1e-5

#: Parameter → smallest and largest value that makes sense.
BOUNDS = {
    "top_k": (1, 1025),
    "top_p": (0.01, 1.0),
    "temperature": (0.0, 5.0),
    "repetition_penalty": (0.5, 5.0),
}


@dataclass(frozen=True, slots=True)
class Sampling:
    """How freely tokens are chosen; names and defaults are upstream's.

    Raises:
        RequestError: A value is out of bounds.
    """

    #: Only the likeliest k tokens; 1 is greedy.
    top_k: int = 15
    #: Only the likeliest tokens that together have this probability.
    top_p: float = 1.0
    #: Below 1 plainer, above 1 wilder.
    temperature: float = 1.0
    #: How much less likely a token gets once it was used.
    repetition_penalty: float = 1.35

    def __post_init__(self) -> None:
        require_within(self, BOUNDS)


def require_within(values: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Refuse values out of bounds.

    Args:
        values: Has an attribute of each name in `bounds`.
        bounds: The smallest and largest value by name.

    Raises:
        RequestError: One is out of bounds; names it.
    """
    for name, (low, high) in bounds.items():
        value = getattr(values, name)
        if not low <= value <= high:
            raise RequestError(f"{name} is {value}; it must be from {low} to {high}.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the parameters of a batch reach."""

    #: The largest top_k.
    top_k: int
    #: Whether any top_p is below 1.
    has_top_p: bool

    @classmethod
    def of(cls, samplings: Iterable[Sampling]) -> Limits:
        """Return the limits of a batch."""
        all_of_them = list(samplings)
        return cls(
            top_k=max(each.top_k for each in all_of_them),
            has_top_p=any(each.top_p < 1 for each in all_of_them),
        )


@dataclass(frozen=True, slots=True)
class SamplingRows:
    """The parameters of a batch, a row each."""

    top_k: Tensor  # [B] int64
    top_p: Tensor  # [B] fp32
    temperature: Tensor  # [B] fp32
    repetition_penalty: Tensor  # [B] fp32

    @classmethod
    def empty(cls, n_rows: int, device: torch.device) -> SamplingRows:
        """Return rows of defaults."""
        plain = Sampling()
        return cls(
            torch.full((n_rows,), plain.top_k, device=device),
            torch.full((n_rows,), plain.top_p, device=device),
            torch.full((n_rows,), plain.temperature, device=device),
            torch.full((n_rows,), plain.repetition_penalty, device=device),
        )

    def set(self, row: int, sampling: Sampling) -> None:
        """Give a row its parameters."""
        self.top_k[row] = sampling.top_k
        self.top_p[row] = sampling.top_p
        self.temperature[row] = max(sampling.temperature, MIN_TEMPERATURE)
        self.repetition_penalty[row] = sampling.repetition_penalty

    def copy(self, source: int, target: int) -> None:
        """Copy one row's parameters to another."""
        for field in fields(self):
            values = getattr(self, field.name)
            values[target] = values[source]

    def at(self, rows: Tensor) -> SamplingRows:
        """Return some rows [n] int64."""
        return SamplingRows(*(getattr(self, field.name)[rows] for field in fields(self)))


def penalised(logits: Tensor, seen: Tensor, rows: SamplingRows) -> Tensor:
    """Return logits [B, V] with those of seen tokens [B, V] lowered."""
    factor = rows.repetition_penalty[:, None]
    lowered = torch.where(logits < 0, logits * factor, logits / factor)
    return torch.where(seen, lowered, logits)


def probabilities(logits: Tensor, rows: SamplingRows, limits: Limits) -> Tensor:
    """Return the probabilities [B, V] of penalised logits [B, V].

    Args:
        logits: -inf where a token is forbidden.
        rows: The parameters.
        limits: What the parameters reach; it changes the time this takes, not the result.
    """
    if limits.has_top_p:
        logits = _within_top_p(logits, rows.top_p)
    logits = logits / rows.temperature[:, None]
    n_largest = min(limits.top_k, logits.shape[1])
    largest = logits.topk(n_largest, dim=1).values
    kth = largest.gather(1, rows.top_k.clamp(max=n_largest)[:, None] - 1)
    return logits.masked_fill(logits < kth, -torch.inf).softmax(dim=1)


def _within_top_p(logits: Tensor, top_p: Tensor) -> Tensor:
    """Forbid what lies beyond the cumulated probability; never the likeliest token."""
    ordered, order = logits.sort(dim=1, descending=True)
    beyond = ordered.softmax(dim=1).cumsum(dim=1) > top_p[:, None]
    beyond[:, 0] = False
    # A row that wants all keeps all, though rounding may cumulate to more than 1.
    beyond &= (top_p < 1.0)[:, None]
    return logits.masked_fill(torch.zeros_like(beyond).scatter(1, order, beyond), -torch.inf)


def draw(probabilities: Tensor, noise: Tensor) -> Tensor:
    """Return a token [B] for each row, by an exponential race: argmax p / Exp(1)."""
    return (probabilities / noise).argmax(dim=1)
