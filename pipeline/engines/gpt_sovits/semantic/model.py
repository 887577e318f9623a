"""The network of the GPT stage: 24 post-norm transformer layers over phonemes and tokens.

Upstream: AR/models/t2s_model.py, AR/modules/embedding.py. Phonemes see all phonemes; tokens see all
phonemes and the tokens before them. Sums and norms stay in fp32 whatever the precision of weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

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

    def step(self, x: Tensor, attend: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the layer's output [n, D] for one position of each of n sequences."""
        x = self.norm_attention(x + self.out(attend(self.qkv(x))))
        return self.norm_network(x + self.down(self.up(x, relu=True)))

    def prefill(self, x: Tensor, attend: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the layer's output [M, D] for the positions of whole prefixes."""
        x = self.norm_attention(x + self.out.dense(attend(self.qkv.dense(x))))
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
        bert: nn.Linear,
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
        masks = [_prefix_mask(prefix, self.device) for prefix in prefixes]
        x = torch.cat([self.embed_prefix(prefix) for prefix in prefixes])
        for index, layer in enumerate(self._layers()):

            def attend(qkv: Tensor, index: int = index, layer: Layer = layer) -> Tensor:
                attended = []
                parts = layer.heads(qkv, self.config.n_heads).split(lengths)
                for slot, mask, part in zip(slots, masks, parts, strict=True):
                    q, k, v = part.permute(1, 2, 0, 3)[:, None]  # each [1, H, L, D_head]
                    cache.write_prefix(index, slot, k[0], v[0])
                    out = functional.scaled_dot_product_attention(q, k, v, mask)
                    attended.append(out[0].transpose(0, 1).flatten(1))
                return torch.cat(attended)

            x = layer.prefill(x, attend)
        last = torch.tensor(lengths, device=self.device).cumsum(0) - 1
        return self.head(x[last]).float()

    def step(self, x: Tensor, lengths: Tensor, cache: KVCache, span: int) -> Tensor:
        """Read one more position [n, D] of the first n slots; return their logits [n, V].

        Args:
            x: The embedded tokens.
            lengths: [n] int64, how many positions each slot has before this one.
            cache: Gets the new keys and values.
            span: How many positions of the cache to look at: more than any length.
        """
        seen = torch.arange(span, device=x.device) <= lengths[:, None]  # [n, span]
        bias = torch.zeros(seen.shape, device=x.device).masked_fill(~seen, -torch.inf)
        for index, layer in enumerate(self._layers()):

            def attend(qkv: Tensor, index: int = index, layer: Layer = layer) -> Tensor:
                heads = layer.heads(qkv, self.config.n_heads)
                cache.append(index, lengths, heads[:, 1:])
                return _attention(heads[:, 0], *cache.read(index, len(lengths), span), bias)

            x = layer.step(x, attend)
        return self.head(x).float()


def _attention(q: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """Return attention [n, D] of one query a row.

    Products and a softmax rather than the fused kernel, whose rounding depends on the span.

    Args:
        q: [n, H, D_head].
        keys: [n, H, span, D_head].
        values: [n, H, span, D_head].
        bias: [n, span], −inf where there is nothing to see.
    """
    scores = (q.to(keys.dtype)[:, :, None] @ keys.transpose(2, 3)).float()
    weights = (scores * q.shape[2] ** -0.5 + bias[:, None, None]).softmax(dim=3)
    return (weights.to(values.dtype) @ values).flatten(1)


def _prefix_mask(prefix: Prefix, device: torch.device) -> Tensor:
    """Return who sees whom: [L, L], True where the row sees the column."""
    n_phonemes, length = len(prefix.phoneme_ids), prefix.length
    mask = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    mask[:n_phonemes, :n_phonemes] = True
    return mask
