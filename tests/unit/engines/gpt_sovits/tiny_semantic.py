"""A random GPT stage, and requests to it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic import weights
from pipeline.engines.gpt_sovits.semantic.config import BERT_WIDTH, SemanticConfig
from pipeline.engines.gpt_sovits.semantic.decoder import Decoded, Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.linear import Precision
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.sampling import Sampling

SMALL = SemanticConfig(width=64, n_heads=4, n_layers=2, n_phonemes=322, n_tokens=257)
#: The width and the vocabulary of the real ones: other kernels run than in small networks.
WIDE = SemanticConfig(width=512, n_heads=16, n_layers=2, n_phonemes=732, n_tokens=1025)

HEAD = "model.ar_predict_layer.weight"


def state(
    config: SemanticConfig, seed: int = 1, *, fixed: Mapping[int, float] | None = None
) -> dict[str, Tensor]:
    """Return weights by upstream's names.

    Args:
        config: The sizes.
        seed: Of the numbers.
        fixed: Tokens whose logits are the same whatever was said. Others lie within about ±10.
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    def dense(key: str, n_out: int, n_in: int, joint: str = ".") -> dict[str, Tensor]:
        weight, bias = drawn(n_out, n_in) / math.sqrt(n_in), 0.1 * drawn(n_out)
        return {f"{key}{joint}weight": weight, f"{key}{joint}bias": bias}

    width = config.width
    found = {
        "model.ar_text_embedding.word_embeddings.weight": drawn(config.n_phonemes, width),
        "model.ar_audio_embedding.word_embeddings.weight": drawn(config.n_tokens, width),
        "model.ar_text_position.alpha": drawn(1),
        "model.ar_audio_position.alpha": drawn(1),
        HEAD: 2 * drawn(config.n_tokens, width) / math.sqrt(width),
        **dense("model.bert_proj", width, BERT_WIDTH),
    }
    for i in range(config.n_layers):
        key = f"model.h.layers.{i}"
        found |= dense(f"{key}.self_attn.in_proj", 3 * width, width, joint="_")
        found |= dense(f"{key}.self_attn.out_proj", width, width)
        found |= dense(f"{key}.linear1", 4 * width, width)
        found |= dense(f"{key}.linear2", width, 4 * width)
        for norm in ("norm1", "norm2"):
            found[f"{key}.{norm}.weight"] = 1 + 0.1 * drawn(width)
            found[f"{key}.{norm}.bias"] = 0.1 * drawn(width)
    if fixed:
        # The last norm leaves a constant in one place, and only those tokens look at it.
        norm = f"model.h.layers.{config.n_layers - 1}.norm2"
        found[f"{norm}.weight"][0], found[f"{norm}.bias"][0] = 0, 1
        found[HEAD][:, 0] = 0
        for token, logit in fixed.items():
            found[HEAD][token] = 0
            found[HEAD][token, 0] = logit
    return found


def network(
    config: SemanticConfig = SMALL,
    precision: Precision = "fp32",
    *,
    seed: int = 1,
    fixed: Mapping[int, float] | None = None,
) -> TextToSemantic:
    return weights.build(config, state(config, seed, fixed=fixed), precision)


def prefix(config: SemanticConfig, n_phonemes: int, n_prompt: int, seed: int = 0) -> Prefix:
    generator = torch.Generator().manual_seed(seed)
    return Prefix(
        phoneme_ids=torch.randint(config.n_phonemes, (n_phonemes,), generator=generator),
        bert=torch.randn(BERT_WIDTH, n_phonemes, generator=generator),
        prompt=torch.randint(config.eos, (n_prompt,), generator=generator),
    )


def request(
    config: SemanticConfig = SMALL,
    *,
    n_phonemes: int = 12,
    n_prompt: int = 9,
    seed: int = 0,
    sampling: Sampling | None = None,
    max_new_tokens: int = 40,
    stops_loops: bool = True,
) -> SemanticRequest:
    return SemanticRequest(
        prefix=prefix(config, n_phonemes, n_prompt, seed),
        seed=seed,
        sampling=sampling or Sampling(),
        max_new_tokens=max_new_tokens,
        stops_loops=stops_loops,
    )


def decode(decoder: Decoder, wanted: Iterable[SemanticRequest]) -> list[Decoded]:
    """Return what each request became, in order."""
    wanted = list(wanted)
    found = dict(decoder.decode(wanted))
    assert sorted(found) == list(range(len(wanted)))
    return [found[i] for i in range(len(wanted))]


def said(decoded: Sequence[Decoded]) -> list[tuple[list[int], str]]:
    """Return tokens and endings, to compare."""
    return [(each.tokens.tolist(), each.ending) for each in decoded]
