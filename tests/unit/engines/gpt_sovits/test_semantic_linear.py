"""Products whose rows do not feel each other, and what lower precision costs."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.linear import Int8Linear, Precision, linear

CPU = torch.device("cpu")
PRECISIONS = get_args(Precision)
#: Width in and out of every map of a real network's layer, and of a small one's.
SHAPES = ((512, 1536), (512, 512), (512, 2048), (2048, 512), (64, 192), (256, 64))

every_precision = pytest.mark.parametrize("precision", PRECISIONS)
every_shape = pytest.mark.parametrize(("d_in", "d_out"), SHAPES)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weight(d_in: int, d_out: int) -> Tensor:
    return drawn(d_out, d_in, seed=1) / d_in**0.5


@every_precision
@every_shape
def test_a_row_does_not_feel_how_many_rows_there_are(
    precision: Precision, d_in: int, d_out: int
) -> None:
    layer = linear(weight(d_in, d_out), drawn(d_out, seed=2), precision, CPU)
    x = drawn(96, d_in)
    for compute in (layer, layer.dense):
        expected = compute(x)
        for n in (1, 2, 3, 5, 16, 17):
            starts = range(0, 96 - n + 1, n)
            found = torch.cat([compute(x[i : i + n]) for i in starts])
            assert torch.equal(found, expected[: len(found)]), n


@every_precision
@pytest.mark.parametrize("n_rows", [7, 200])
def test_a_row_does_not_feel_how_many_threads_there_are(precision: Precision, n_rows: int) -> None:
    layer = linear(weight(2048, 512), drawn(512, seed=2), precision, CPU)
    x, before = drawn(n_rows, 2048), torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2, 4):
            torch.set_num_threads(n_threads)
            found.append((layer(x), layer.dense(x)))
    finally:
        torch.set_num_threads(before)
    for one, many in found:
        assert torch.equal(one, found[0][0])
        assert torch.equal(many, found[0][1])


@every_precision
@every_shape
def test_lower_precision_costs_what_rounding_costs(
    precision: Precision, d_in: int, d_out: int
) -> None:
    w, b, x = weight(d_in, d_out), drawn(d_out, seed=2), drawn(16, d_in)
    layer = linear(w, b, precision, CPU)
    exact = x.double() @ w.double().T + b.double()
    bound = {"fp32": 1e-5, "fp16": 2e-3, "bf16": 1e-2, "int8": 2e-2}[precision]
    for found in (layer(x), layer.dense(x)):
        error = (found.double() - exact).pow(2).mean().sqrt() / exact.pow(2).mean().sqrt()
        assert 0 < float(error) < bound


@every_precision
def test_relu_and_a_missing_bias_are_what_they_say(precision: Precision) -> None:
    w, b, x = weight(64, 192), drawn(192, seed=2), drawn(5, 64)
    layer = linear(w, b, precision, CPU)
    assert torch.equal(layer(x, relu=True), layer(x).relu())
    assert torch.equal(layer.dense(x, relu=True), layer.dense(x).relu())
    bare = linear(w, None, precision, CPU)
    assert torch.allclose(bare(x).float() + b, layer(x).float(), atol=0.05)


def test_integer_weights_are_within_half_a_step_and_use_the_whole_range() -> None:
    w = weight(512, 512) * torch.logspace(-3, 2, 512)[:, None]
    layer = Int8Linear(w, None)
    assert layer.weight.dtype == torch.int8
    assert layer.scale.dtype == torch.bfloat16
    step = layer.scale.float()[:, None]
    assert float(((layer.weight * step - w).abs() / step).max()) <= 0.5 + 1e-4
    assert (layer.weight.abs().amax(dim=1) >= 126).all()
    assert layer.weight.min() >= -127


def test_a_row_of_zeros_gives_zeros_and_no_nan() -> None:
    w = weight(64, 64)
    w[3] = 0
    found = linear(w, None, "int8", CPU)(drawn(4, 64))
    assert found.isfinite().all()
    assert not found[:, 3].any()
