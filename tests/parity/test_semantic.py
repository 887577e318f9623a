"""The GPT stage against upstream: logits, greedy tokens alone and in batches, probabilities."""

from __future__ import annotations

from pathlib import Path

import golden
import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.checkpoint.container import read
from pipeline.engines.gpt_sovits.semantic import weights
from pipeline.engines.gpt_sovits.semantic.cache import KVCache, span_for
from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig
from pipeline.engines.gpt_sovits.semantic.decoder import Decoded, Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.sampling import (
    MIN_TEMPERATURE,
    Limits,
    Sampling,
    SamplingRows,
    penalised,
    probabilities,
)

TOLERANCE = 1e-4

#: New tokens after which the golden runs without a prompt were stopped.
FREE_LIMITS = (61, 201)

every_case = pytest.mark.parametrize("path", golden.cases("semantic"), ids=golden.name)


def load(path: Path) -> TextToSemantic:
    checkpoint = read(path, expect="s1")
    return weights.build(SemanticConfig.from_checkpoint(checkpoint.config), checkpoint.weights)


def prefixes(case: dict[str, np.ndarray], prompt: Tensor) -> list[Prefix]:
    return [
        Prefix(
            phoneme_ids=torch.from_numpy(case[f"phones_{i}"]),
            bert=torch.from_numpy(case[f"bert_{i}"]),
            prompt=prompt,
        )
        for i in range(len(case["lens"]))
    ]


def requests(
    case: dict[str, np.ndarray], prompt: Tensor, longest: int, penalty: float
) -> list[SemanticRequest]:
    """Ask for one token more than upstream made, so that a missed end shows."""
    return [
        SemanticRequest(
            prefix=prefix,
            seed=0,
            sampling=Sampling(top_k=1, repetition_penalty=penalty),
            max_new_tokens=longest + 1,
            stops_loops=False,
        )
        for prefix in prefixes(case, prompt)
    ]


def decode(decoder: Decoder, wanted: list[SemanticRequest]) -> list[Decoded]:
    found = dict(decoder.decode(wanted))
    return [found[i] for i in range(len(wanted))]


def require_equal(decoded: Decoded, expected: np.ndarray, *, has_end: bool) -> None:
    tokens = decoded.tokens.numpy()
    assert tokens[: len(expected)].tolist() == expected.tolist()
    if has_end:
        assert decoded.ending == "end"
        assert len(tokens) == len(expected)


@every_case
@pytest.mark.parametrize("n_slots", [1, 2, 16])
def test_greedy_tokens_with_a_prompt_are_upstreams_in_any_batch(path: Path, n_slots: int) -> None:
    case = golden.arrays(path)
    prompt = torch.from_numpy(case["prompt"])
    expected = [case[f"naive_y_{i}"][len(prompt) :] for i in range(len(case["lens"]))]
    longest = max(map(len, expected))
    penalty = float(case["repetition_penalty"])
    decoder = Decoder(load(path), n_slots=n_slots)
    for i, decoded in enumerate(decode(decoder, requests(case, prompt, longest, penalty))):
        # When upstream is stopped by its limit, the batch path returns a token less.
        has_end = len(case[f"naive_y_{i}"]) == len(case[f"batch_y_{i}"])
        require_equal(decoded, expected[i], has_end=has_end)
        require_equal(decoded, case[f"batch_y_{i}"][len(prompt) :], has_end=has_end)


@every_case
def test_greedy_tokens_without_a_prompt_are_upstreams(path: Path) -> None:
    case = golden.arrays(path)
    expected = [case[f"free_y_{i}"] for i in range(len(case["lens"]))]
    nothing = torch.zeros(0, dtype=torch.int64)
    penalty = float(case["repetition_penalty"])
    wanted = requests(case, nothing, max(map(len, expected)), penalty)
    for decoded, tokens in zip(decode(Decoder(load(path)), wanted), expected, strict=True):
        require_equal(decoded, tokens, has_end=len(tokens) not in FREE_LIMITS)


@every_case
def test_logits_along_upstreams_tokens_are_upstreams(path: Path) -> None:
    case, model = golden.arrays(path), load(path)
    prompt = torch.from_numpy(case["prompt"])
    n_compared = 0
    for i, prefix in enumerate(prefixes(case, prompt)):
        along = logits_along(model, prefix, case[f"naive_y_{i}"][len(prompt) :])
        for k, logits in enumerate(along):
            theirs = case.get(f"naive_logits_{i}_{k}")
            if theirs is not None:
                n_compared += 1
                assert golden.relative_error(logits[: len(theirs)], theirs) < TOLERANCE, (i, k)
    assert n_compared >= 4 * len(case["lens"])


@every_case
def test_first_logits_without_a_prompt_are_upstreams(path: Path) -> None:
    case, model = golden.arrays(path), load(path)
    nothing = torch.zeros(0, dtype=torch.int64)
    for i, prefix in enumerate(prefixes(case, nothing)):
        (logits,) = logits_along(model, prefix, case[f"free_y_{i}"][:0])
        theirs = case[f"free_logits_{i}_0"]
        assert golden.relative_error(logits[: len(theirs)], theirs) < TOLERANCE


@every_case
def test_logits_of_a_batch_are_upstreams(path: Path) -> None:
    case, model = golden.arrays(path), load(path)
    prompt = torch.from_numpy(case["prompt"])
    batch = prefixes(case, prompt)
    said = [case[f"batch_y_{i}"][len(prompt) :] for i in range(len(batch))]
    for k in (0, 5):
        along = [logits_along(model, prefix, said[i][:k])[-1] for i, prefix in enumerate(batch)]
        theirs = case[f"batch_logits_{k}"]
        assert golden.relative_error(np.stack(along)[:, : theirs.shape[1]], theirs) < TOLERANCE


@torch.inference_mode()
def logits_along(model: TextToSemantic, prefix: Prefix, tokens: np.ndarray) -> list[np.ndarray]:
    """Return the logits before each of the tokens, and after the last."""
    config = model.config
    cache = KVCache(
        config.n_layers, 1, config.n_heads, config.head_width, 512, device=torch.device("cpu")
    )
    found = [model.prefill([prefix], [0], cache)[0].numpy()]
    for n, token in enumerate(tokens.tolist()):
        x = model.embed_tokens(torch.tensor([token]), torch.tensor([len(prefix.prompt) + n]))
        length = prefix.length + n
        logits = model.step(x, torch.tensor([length]), cache, span_for(length + 1))
        found.append(logits[0].numpy())
    return found


@pytest.mark.parametrize("path", golden.cases("sampling"), ids=golden.name)
def test_probabilities_are_upstreams(path: Path) -> None:
    case = golden.arrays(path)
    n_cases = sum(key.endswith("_logits") for key in case)
    assert n_cases
    for c in range(n_cases):
        logits = torch.from_numpy(case[f"c{c}_logits"])
        previous = torch.from_numpy(case[f"c{c}_prev"])
        top_k, top_p, temperature, penalty = case[f"c{c}_params"]
        rows = SamplingRows(
            top_k=torch.full((len(logits),), int(top_k)),
            top_p=torch.full((len(logits),), float(top_p)),
            temperature=torch.full((len(logits),), max(float(temperature), MIN_TEMPERATURE)),
            repetition_penalty=torch.full((len(logits),), float(penalty)),
        )
        seen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, previous, value=True)
        ours = probabilities(
            penalised(logits, seen, rows), rows, Limits(int(top_k), has_top_p=True)
        )
        assert np.abs(ours.numpy() - case[f"c{c}_probs"]).max() <= 1e-6, f"case {c}"
