"""The shape of a GPT stage, as its checkpoint tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Semantic tokens for a second of audio.
TOKENS_PER_S = 25
#: Width of a BERT feature.
BERT_WIDTH = 1024


@dataclass(frozen=True, slots=True)
class SemanticConfig:
    """Sizes of the network."""

    width: int
    n_heads: int
    n_layers: int
    n_phonemes: int
    #: Semantic tokens and the end mark, which is the last.
    n_tokens: int

    @property
    def eos(self) -> int:
        """The token that ends a sequence."""
        return self.n_tokens - 1

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.n_heads

    @classmethod
    def from_checkpoint(cls, config: Mapping[str, Any]) -> SemanticConfig:
        """Read the `model` part of a checkpoint's configuration.

        Raises:
            ValueError: A size is missing, or the end mark is not the last token.
        """
        model = config.get("model", {})
        try:
            found = cls(
                width=int(model["hidden_dim"]),
                n_heads=int(model["head"]),
                n_layers=int(model["n_layer"]),
                n_phonemes=int(model["phoneme_vocab_size"]),
                n_tokens=int(model["vocab_size"]),
            )
        except KeyError as error:
            raise ValueError(f"its configuration lacks model.{error.args[0]}") from error
        if int(model.get("EOS", found.eos)) != found.eos or found.width % found.n_heads:
            raise ValueError("its configuration contradicts itself (EOS, or width and heads)")
        return found
