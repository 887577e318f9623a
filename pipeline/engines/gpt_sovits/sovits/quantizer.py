"""HuBERT features ↔ semantic tokens, through one codebook (upstream: module/core_vq.py)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.sovits.config import FEATURE_WIDTH, FRAMES_PER_TOKEN, N_TOKENS


class Quantizer(nn.Module):
    """Two features become the entry of the codebook that is nearest to their projection."""

    codebook: Tensor  # [N_TOKENS, FEATURE_WIDTH]

    def __init__(self) -> None:
        super().__init__()
        self.projection = nn.Conv1d(
            FEATURE_WIDTH, FEATURE_WIDTH, FRAMES_PER_TOKEN, stride=FRAMES_PER_TOKEN
        )
        self.register_buffer("codebook", torch.zeros(N_TOKENS, FEATURE_WIDTH))

    def distances(self, features: Tensor) -> Tensor:
        """Return the squared distance of each projected pair to each entry.

        Args:
            features: HuBERT features at 50 Hz, [1, FEATURE_WIDTH, T].

        Returns:
            [T_sem, N_TOKENS] with T_sem = T // 2.
        """
        (projected,) = self.projection(features)  # [FEATURE_WIDTH, T_sem]
        points = projected.T
        crossed = points @ self.codebook.T
        return points.square().sum(1, keepdim=True) - 2 * crossed + self.codebook.square().sum(1)

    def tokens(self, features: Tensor) -> Tensor:
        """Return the semantic tokens [T_sem] of features [1, FEATURE_WIDTH, T]."""
        return self.distances(features).argmin(1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the entries of tokens at the frame rate: [B, T_sem] → [B, 2 T_sem, D]."""
        return self.codebook[tokens].repeat_interleave(FRAMES_PER_TOKEN, dim=1)
