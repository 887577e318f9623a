"""The GPU's kernels, run on the CPU by Triton's interpreter, against plain arithmetic.

Whether Triton interprets is decided when it is imported, so `test_gpu_kernels.py` runs this file in
a process of its own.
"""

from __future__ import annotations

from functools import partial

import pytest
import tiny_semantic as tiny
import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.semantic import fused, kernels
from pipeline.engines.gpt_sovits.semantic.cache import KVCache
from pipeline.engines.gpt_sovits.semantic.linear import Precision

#: Unit in the last place of each precision.
ROUNDING = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}

every_precision = pytest.mark.parametrize("dtype", ROUNDING, ids=str)


def softmax_attention(q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attention [H, D_head] of one query [H, D_head] on keys and values [H, L, D_head]."""
    scores = (q[:, None].double() @ keys.double().transpose(1, 2)) * q.shape[1] ** -0.5
    return (scores.softmax(dim=2) @ values.double())[:, 0]


@every_precision
def test_attention_looks_at_what_a_row_has_and_at_its_new_position(dtype: torch.dtype) -> None:
    lengths = torch.tensor([0, 1, 127, 128, 129, 300, 383])
    n, n_heads, head_width = len(lengths), 3, 16
    cache = KVCache(1, n, n_heads, head_width, 384, device=torch.device("cpu"), dtype=dtype)
    keys, values = cache.read(0, n, cache.capacity)
    keys.copy_(torch.randn(keys.shape, generator=torch.Generator().manual_seed(1)))
    values.copy_(torch.randn(values.shape, generator=torch.Generator().manual_seed(2)))
    before = keys.clone(), values.clone()
    generator = torch.Generator().manual_seed(3)
    qkv = torch.randn(n, 3 * n_heads * head_width, generator=generator).to(dtype)
    found = kernels.attend(qkv, keys, values, lengths)
    assert found.dtype == dtype
    new = qkv.view(n, 3, n_heads, head_width)
    for row, length in enumerate(lengths.tolist()):
        for stored, old, own in zip((keys, values), before, new[row, 1:], strict=True):
            assert torch.equal(stored[row, :, length], own)
            stored[row, :, length] = old[row, :, length]
            assert torch.equal(stored[row], old[row])
            stored[row, :, length] = own
        seen = (each[row, :, : length + 1] for each in (keys, values))
        expected = softmax_attention(new[row, 0], *seen).flatten()
        assert (found[row] - expected).abs().max() <= 2 * ROUNDING[dtype] * expected.abs().max()


def test_what_lies_beyond_a_rows_length_is_not_even_multiplied() -> None:
    cache = KVCache(1, 1, 2, 16, 256, device=torch.device("cpu"))
    keys, values = cache.read(0, 1, cache.capacity)
    qkv = torch.randn(1, 3 * 2 * 16, generator=torch.Generator().manual_seed(4))
    clean = kernels.attend(qkv, keys, values, torch.tensor([50]))
    keys[:, :, 50:], values[:, :, 50:] = torch.nan, torch.inf
    assert torch.equal(kernels.attend(qkv, keys, values, torch.tensor([50])), clean)


@every_precision
def test_sums_are_normed_in_fp32_and_rounded_once(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(5)
    x, y = (torch.randn(5, 64, generator=generator) for _ in range(2))
    norm = nn.LayerNorm(64).requires_grad_(requires_grad=False)
    norm.weight.normal_(generator=generator)
    norm.bias.normal_(generator=generator)
    exact, rounded = kernels.add_norm(x, y.to(dtype), norm, dtype)
    torch.testing.assert_close(exact, norm(x + y.to(dtype).float()), atol=2e-6, rtol=1e-6)
    # The interpreter cuts bf16 off where a GPU rounds.
    assert rounded.dtype == dtype
    assert ((rounded - exact).abs() <= ROUNDING[dtype] * exact.abs()).all()


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 0.05)])
@torch.inference_mode()
def test_a_step_gives_the_networks_logits(
    precision: Precision,
    tolerance: float,
) -> None:
    model = tiny.network(precision=precision)
    config, dtype = model.config, fused.dtype(model)
    prefixes = [tiny.prefix(config, 12 + i, 3 * i, seed=i) for i in range(3)]
    lengths = torch.tensor([prefix.length for prefix in prefixes])
    logits, caches = [], []
    for step in (partial(model.step, span=64), partial(fused.step, model)):
        cache = KVCache(
            config.n_layers,
            4,
            config.n_heads,
            config.head_width,
            64,
            device=model.device,
            dtype=dtype,
        )
        model.prefill(prefixes, range(3), cache)
        x = model.embed_tokens(torch.tensor([5, 6, 7]), torch.tensor([0, 3, 6]))
        logits.append(step(x, lengths=lengths, cache=cache))
        caches.append(cache.read(1, 3, 32))
    scale = logits[0].abs().max()
    assert (logits[1] - logits[0]).abs().max() <= tolerance * scale
    for theirs, ours in zip(*caches, strict=True):
        assert (ours.float() - theirs.float()).abs().max() <= tolerance * theirs.abs().max()
