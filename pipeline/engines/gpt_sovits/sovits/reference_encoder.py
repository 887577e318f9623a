"""Spectrogram of the reference audio → speaker embedding.

The style encoder of Min et al., "Meta-StyleSpeech" (2021). Upstream: MelStyleEncoder in
module/modules.py.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

WIDTH = 128
KERNEL_SIZE = 5
N_HEADS = 2


class GatedConv(nn.Module):
    """A residual convolution that gates itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(WIDTH, 2 * WIDTH, KERNEL_SIZE, padding=KERNEL_SIZE // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T_mel] → [B, C, T_mel]."""
        return x + functional.glu(self.conv(x), dim=1)


class StyleAttention(nn.Module):
    """Self-attention with a residual; scores are scaled by the whole width, as upstream does."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T_mel, D] → [B, T_mel, D]."""
        query, key, value = (
            project(x).unflatten(-1, (N_HEADS, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        weights = (query @ key.transpose(-1, -2) * WIDTH**-0.5).softmax(-1)
        return x + self.output((weights @ value).transpose(1, 2).flatten(2))


class ReferenceEncoder(nn.Module):
    """A spectrogram → one vector.

    Args:
        n_bins: Bins that it takes, counted from the lowest.
        speaker_channels: Width of the vector.
    """

    def __init__(self, n_bins: int, speaker_channels: int) -> None:
        super().__init__()
        self.n_bins = n_bins
        self.spectral = nn.ModuleList([nn.Linear(n_bins, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.temporal = nn.ModuleList([GatedConv(), GatedConv()])
        self.attention = StyleAttention()
        self.output = nn.Linear(WIDTH, speaker_channels)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """[B, F, T_mel], F at least `n_bins` → [B, C]."""
        x = spectrogram[:, : self.n_bins].transpose(1, 2)
        for layer in self.spectral:
            x = functional.mish(layer(x))
        x = x.transpose(1, 2)
        for layer in self.temporal:
            x = layer(x)
        return self.output(self.attention(x.transpose(1, 2))).mean(dim=1)
