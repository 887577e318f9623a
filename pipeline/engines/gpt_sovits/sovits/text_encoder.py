"""Semantic tokens and phonemes → what the latent looks like, frame by frame.

Upstream: TextEncoder in module/models.py.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines.gpt_sovits.sovits.attention import Transformer
from pipeline.engines.gpt_sovits.sovits.config import FEATURE_WIDTH, SoVITSConfig
from pipeline.engines.gpt_sovits.sovits.mrte import MultiReferenceTimbreEncoder


class TextEncoder(nn.Module):
    """Three transformers: over tokens, over phonemes, and over both once they have met."""

    def __init__(self, config: SoVITSConfig) -> None:
        super().__init__()
        self.token_input = nn.Linear(FEATURE_WIDTH, config.width)
        self.token_layers = _transformer(config, config.n_layers // 2)
        self.phoneme_embedding = nn.Embedding(config.n_phonemes, config.width)
        self.phoneme_layers = _transformer(config, config.n_layers)
        self.mrte = MultiReferenceTimbreEncoder(config.width)
        self.joint_layers = _transformer(config, config.n_layers // 2)
        self.statistics = nn.Linear(config.width, 2 * config.latent_channels)

    def forward(
        self,
        features: Tensor,
        mask: Tensor,
        phoneme_ids: Tensor,
        phoneme_mask: Tensor,
        speaker: Tensor,
    ) -> Tensor:
        """Return frames [B, T_mel, D].

        Args:
            features: Codebook entries at the frame rate, [B, T_mel, FEATURE_WIDTH].
            mask: Which frames are there, boolean [B, T_mel].
            phoneme_ids: [B, T_ph].
            phoneme_mask: Which phonemes are there, boolean [B, T_ph].
            speaker: [B, MEETING_WIDTH].
        """
        tokens = self.token_layers(self.token_input(features), mask)
        phonemes = self.phoneme_layers(self.phoneme_embedding(phoneme_ids), phoneme_mask)
        met = self.mrte(tokens, phonemes, phoneme_mask, speaker)
        return self.joint_layers(met, mask)

    def distribution(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [B, T_mel, D] → mean and logarithm of the deviation, each [B, C, T_mel]."""
        mean, log_deviation = self.statistics(frames).transpose(1, 2).chunk(2, dim=1)
        return mean, log_deviation


def stretched_length(n_frames: int, speed: float) -> int:
    """Return how many frames a chunk has at a speed; upstream adds one whenever it stretches."""
    return n_frames if speed == 1 else int(n_frames / speed) + 1


def stretch(frames: Tensor, speed: float) -> Tensor:
    """Return frames [T_mel, D] as if spoken at another speed, by linear interpolation."""
    if speed == 1:
        return frames
    length = stretched_length(frames.shape[0], speed)
    (stretched,) = functional.interpolate(frames.T[None], size=length, mode="linear")
    return stretched.T


def _transformer(config: SoVITSConfig, n_layers: int) -> Transformer:
    return Transformer(
        n_layers, config.width, config.feed_forward_width, config.n_heads, config.kernel_size
    )
