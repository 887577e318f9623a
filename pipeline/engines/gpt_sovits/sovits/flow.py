"""The normalising flow between the latent of the text and the latent of the voice.

Four affine coupling layers that only shift (Dinh et al., "NICE", 2014), each with a WaveNet
without dilation inside, as in VITS. Upstream: ResidualCouplingBlock in module/models.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

N_COUPLINGS = 4
N_LAYERS = 4
KERNEL_SIZE = 5
#: Frames on either side on which an output frame depends.
REACH_FRAMES = N_COUPLINGS * N_LAYERS * (KERNEL_SIZE // 2)


class WaveNet(nn.Module):
    """Gated convolutions with residuals and skips, told who speaks.

    Args:
        width: C of its input and output.
        speaker_channels: Width of the speaker embedding.
    """

    def __init__(self, width: int, speaker_channels: int) -> None:
        super().__init__()
        self.speaker = nn.Linear(speaker_channels, 2 * width * N_LAYERS)
        self.gates = nn.ModuleList(
            nn.Conv1d(width, 2 * width, KERNEL_SIZE, padding=KERNEL_SIZE // 2)
            for _ in range(N_LAYERS)
        )
        self.outputs = nn.ModuleList(
            nn.Conv1d(width, 2 * width if layer < N_LAYERS - 1 else width, 1)
            for layer in range(N_LAYERS)
        )

    def forward(self, x: Tensor, mask: Tensor, speaker: Tensor) -> Tensor:
        """[B, C, T_mel], mask [B, 1, T_mel], speaker [B, C_speaker] → [B, C, T_mel]."""
        voices = self.speaker(speaker)[..., None].chunk(N_LAYERS, dim=1)
        skipped: Tensor | None = None
        for gate, output, voice in zip(self.gates, self.outputs, voices, strict=True):
            signal, opening = (gate(x) + voice).chunk(2, dim=1)
            *residual, skip = output(signal.tanh() * opening.sigmoid()).split(x.shape[1], dim=1)
            skipped = skip if skipped is None else skipped + skip
            if residual:
                x = (x + residual[0]) * mask
        assert skipped is not None
        return skipped * mask


class Coupling(nn.Module):
    """Takes from one half of the channels what the other half tells."""

    def __init__(self, channels: int, width: int, speaker_channels: int) -> None:
        super().__init__()
        self.n_known = channels // 2
        self.input = nn.Conv1d(self.n_known, width, 1)
        self.wavenet = WaveNet(width, speaker_channels)
        self.output = nn.Conv1d(width, self.n_known, 1)

    def shift(self, known: Tensor, mask: Tensor, speaker: Tensor) -> Tensor:
        """[B, C / 2, T_mel] → the shift of the other half, zero where the mask hides it."""
        x = self.wavenet(self.input(known) * mask, mask, speaker)
        return self.output(x) * mask


class Flow(nn.Module):
    """The latent of the text → the latent of the voice (the flow run backwards).

    Args:
        channels: C of the latent.
        width: Channels inside the coupling layers.
        speaker_channels: Width of the speaker embedding.
    """

    def __init__(self, channels: int, width: int, speaker_channels: int) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(
            Coupling(channels, width, speaker_channels) for _ in range(N_COUPLINGS)
        )

    def forward(self, x: Tensor, mask: Tensor, speaker: Tensor) -> Tensor:
        """[B, C, T_mel], mask [B, 1, T_mel], speaker [B, C_speaker] → [B, C, T_mel].

        Each step flips the channels, then undoes one coupling.
        """
        known, other = x.chunk(2, dim=1)
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, Coupling)
            known, other = other.flip(1), known.flip(1)
            other = (other - coupling.shift(known, mask, speaker)) * mask
        return torch.cat((known, other), dim=1)
