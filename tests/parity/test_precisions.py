"""Lower precisions against fp32, on the GPT stage at real size with random weights.

Random weights have many near ties, more than trained ones; so what counts are the steps at which
fp32 is sure of its choice: where the best token leads by more than the precision's rounding error.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from bench import gpt_sovits_models as models
from pipeline.engines.gpt_sovits.semantic.cache import KVCache, span_for
from pipeline.engines.gpt_sovits.semantic.decoder import Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.linear import Precision, has_fast_bf16
from pipeline.engines.gpt_sovits.semantic.model import Prefix
from pipeline.engines.gpt_sovits.semantic.sampling import Sampling, SamplingRows, penalised
from pipeline.engines.gpt_sovits.semantic.slots import MIN_NEW_TOKENS

N_PROMPTS, N_STEPS = 8, 50
GREEDY = Sampling(top_k=1)
#: A lead of so many times the rounding error is no accident.
SURE = 2


@cache
def prefixes() -> list[Prefix]:
    return [models.prefix(60 + 5 * i, 50 + 7 * i, seed=i) for i in range(N_PROMPTS)]


@cache
def exact_tokens() -> Tensor:
    """Greedy tokens in fp32; [N_PROMPTS, N_STEPS]."""
    return spoken("fp32")


@cache
def logits(precision: Precision) -> np.ndarray:
    """Penalised logits along fp32's tokens; [N_PROMPTS, N_STEPS, V]."""
    return along(precision, exact_tokens())


def spoken(precision: Precision) -> Tensor:
    wanted = [
        SemanticRequest(prefix, seed=0, sampling=GREEDY, max_new_tokens=N_STEPS, stops_loops=False)
        for prefix in prefixes()
    ]
    found = dict(Decoder(models.semantic(precision)).decode(wanted))
    return torch.stack([found[i].tokens for i in range(N_PROMPTS)])


@torch.inference_mode()
def along(precision: Precision, tokens: Tensor) -> np.ndarray:
    model = models.semantic(precision)
    config = model.config
    cache_of_rows = KVCache(
        config.n_layers, N_PROMPTS, config.n_heads, config.head_width, 512, device=model.device
    )
    rows = SamplingRows.empty(N_PROMPTS, model.device)
    seen = torch.zeros(N_PROMPTS, config.n_tokens, dtype=torch.bool)
    for row, prefix in enumerate(prefixes()):
        seen[row, prefix.prompt] = True
    lengths = torch.tensor([prefix.length for prefix in prefixes()])
    n_prompt = torch.tensor([len(prefix.prompt) for prefix in prefixes()])
    raw, found = model.prefill(prefixes(), range(N_PROMPTS), cache_of_rows), []
    for step in range(N_STEPS):
        if step < MIN_NEW_TOKENS:
            raw[:, config.eos] = -torch.inf
        found.append(penalised(raw, seen, rows).numpy())
        seen[torch.arange(N_PROMPTS), tokens[:, step]] = True
        x = model.embed_tokens(tokens[:, step], n_prompt + step)
        raw = model.step(x, lengths + step, cache_of_rows, span_for(int(lengths.max()) + step + 1))
    return np.stack(found, axis=1)


def test_fp32_along_its_own_tokens_chooses_them() -> None:
    assert (logits("fp32").argmax(axis=2) == exact_tokens().numpy()).all()


# Of int8 the error is larger than most leads of a random network: two dozen steps are left to judge
# by, and processors differ in how they sum: with AVX2 alone two of 25 go the other way.
@pytest.mark.parametrize(
    ("precision", "share", "enough"),
    [("bf16", 0.5, 0.95), ("fp16", 0.5, 0.95), ("int8", 0.03, 0.95 if has_fast_bf16() else 0.85)],
)
def test_a_lower_precision_chooses_as_fp32_does_where_fp32_is_sure(
    precision: Precision, share: float, enough: float
) -> None:
    exact, ours = logits("fp32"), logits(precision)
    finite = np.isfinite(exact)
    error = float(np.sqrt(np.mean((ours[finite] - exact[finite]) ** 2)))
    ordered = np.sort(exact, axis=2)
    is_sure = ordered[:, :, -1] - ordered[:, :, -2] > SURE * error
    agrees = ours.argmax(axis=2) == exact.argmax(axis=2)
    told = f"{precision}: error {error:.4f}, sure at {is_sure.mean():.0%}, all {agrees.mean():.1%}"
    assert 0 < error < 0.2, told
    assert is_sure.mean() > share, told
    assert agrees[is_sure].mean() >= enough, told


def test_bf16_left_to_itself_stays_with_fp32_for_a_while() -> None:
    differs = spoken("bf16") != exact_tokens()
    n_alike = [int(row.int().argmax()) if row.any() else N_STEPS for row in differs]
    assert np.mean(n_alike) >= 10, n_alike
