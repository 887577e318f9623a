"""The network of the GPT stage: 24 post-norm transformer layers over phonemes and tokens.

Upstream: AR/models/t2s_model.py, AR/modules/embedding.py. Phonemes see all phonemes; tokens see all
phonemes and the tokens before them. Sums and norms stay in fp32 whatever the precision of weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.semantic.attention import (
    of_prefix,
    of_rows,
    prefix_bias,
    rows_bias,
)
from pipeline.engines.gpt_sovits.semantic.cache import KVCache
from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig
from pipeline.engines.gpt_sovits.semantic.linear import Linear

#: Positions computed ahead; far more than a sequence may have.
MAX_POSITIONS = 4096


def position_table(n_positions: int, width: int) -> Tensor:
    """Return sinusoidal positions [n_positions, width], sines and cosines interleaved."""
    rates = torch.exp(torch.arange(0, width, 2).float() * -(math.log(10000.0) / width))
    angles = torch.arange(n_positions).float()[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a sequence begins with."""

    #: Of the reference text and of the text to say; [T_ph] int64.
    phoneme_ids: Tensor
    #: A feature for each phoneme; [BERT_WIDTH, T_ph].
    bert: Tensor
    #: Semantic tokens of the reference audio; [T_prompt] int64, empty without one.
    prompt: Tensor

    @property
    def length(self) -> int:
        """Positions of the prefix."""
        return len(self.phoneme_ids) + len(self.prompt)


class Layer(nn.Module):
    """Attention and a ReLU network, each followed by the norm of its sum with the input."""

    def __init__(
        self, qkv: Linear, out: Linear, up: Linear, down: Linear, norms: Sequence[nn.LayerNorm]
    ) -> None:
        super().__init__()
        self.qkv, self.out, self.up, self.down = qkv, out, up, down
        self.norm_attention, self.norm_network = norms

    def heads(self, qkv: Tensor, n_heads: int) -> Tensor:
        """Split [M, 3D] into queries, keys and values of each head, [M, 3, H, D_head]."""
        m, width = qkv.shape
        return qkv.view(m, 3, n_heads, width // 3 // n_heads)

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Return the layer's output [M, D] for its input and what its attention found, [M, D]."""
        x = self.norm_attention(x + self.out(attended))
        return self.norm_network(x + self.down(self.up(x, relu=True)))

    def finish_many(self, x: Tensor, attended: Tensor) -> Tensor:
        """Do the same for many positions at once."""
        x = self.norm_attention(x + self.out.dense(attended))
        return self.norm_network(x + self.down.dense(self.up.dense(x, relu=True)))


class TextToSemantic(nn.Module):
    """Predicts the next semantic token."""

    positions: Tensor
    phoneme_alpha: Tensor
    token_alpha: Tensor

    def __init__(
        self,
        config: SemanticConfig,
        layers: Sequence[Layer],
        *,
        bert: Linear,
        phonemes: nn.Embedding,
        tokens: nn.Embedding,
        alphas: tuple[Tensor, Tensor],
        head: Linear,
    ) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(layers)
        self.bert, self.phonemes, self.tokens, self.head = bert, phonemes, tokens, head
        self.register_buffer("phoneme_alpha", alphas[0])
        self.register_buffer("token_alpha", alphas[1])
        self.register_buffer("positions", position_table(MAX_POSITIONS, config.width))

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.positions.device

    def _layers(self) -> Iterable[Layer]:
        return cast(Iterable[Layer], self.layers)

    def embed_prefix(self, prefix: Prefix) -> Tensor:
        """Return the prefix as [L, D]; phonemes and prompt both count positions from 0."""
        said = self.phonemes(prefix.phoneme_ids) + self.bert(prefix.bert.T)
        said = said + self.phoneme_alpha * self.positions[: len(said)]
        heard = self.tokens(prefix.prompt)
        heard = heard + self.token_alpha * self.positions[: len(heard)]
        return torch.cat((said, heard))

    def embed_tokens(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Return tokens [n] at their positions [n] among all tokens as [n, D]."""
        return self.tokens(tokens) + self.token_alpha * self.positions[positions]

    def prefill(self, prefixes: Sequence[Prefix], slots: Sequence[int], cache: KVCache) -> Tensor:
        """Read prefixes into slots, all in one pass; return the first logits [n, V].

        What is linear is computed on all rows together, attention on each prefix by itself.
        """
        lengths = [prefix.length for prefix in prefixes]
        ends = torch.tensor(lengths, device=self.device).cumsum(0) - 1
        biases = [prefix_bias(len(p.phoneme_ids), p.length, self.device) for p in prefixes]
        x = torch.cat([self.embed_prefix(prefix) for prefix in prefixes])
        for index, layer in enumerate(self._layers()):
            heads = layer.heads(layer.qkv.dense(x), self.config.n_heads).split(lengths)
            if index == self.config.n_layers - 1:
                # Of the last layer only the last position of each prefix is needed.
                x, biases = x[ends], [bias[-1:] for bias in biases]
            attended = []
            for slot, part, bias in zip(slots, heads, biases, strict=True):
                found, keys, values = of_prefix(part, bias)
                cache.write_prefix(index, slot, keys, values)
                attended.append(found)
            x = layer.finish_many(x, torch.cat(attended))
        return self.head(x).float()

    def step(self, x: Tensor, lengths: Tensor, cache: KVCache, span: int) -> Tensor:
        """Read one more position [n, D] of the first n slots; return their logits [n, V].

        Args:
            x: The embedded tokens.
            lengths: [n] int64, how many positions each slot has before this one.
            cache: Gets the new keys and values.
            span: How many positions of the cache to look at: more than any length.
        """
        bias = rows_bias(lengths, span, self.config.n_heads, cache.dtype)
        for index, layer in enumerate(self._layers()):
            heads = layer.heads(layer.qkv(x), self.config.n_heads)
            cache.append(index, lengths, heads[:, 1:])
            keys, values = cache.read(index, len(lengths), span)
            x = layer.finish(x, of_rows(heads[:, 0], keys, values, bias))
        return self.head(x).float()
