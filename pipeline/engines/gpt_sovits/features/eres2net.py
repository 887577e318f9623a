"""ERes2NetV2: who speaks, as a vector.

Chen et al., "ERes2NetV2: Boosting Short-Duration Speaker Verification Performance with
Computational Efficiency" (https://arxiv.org/abs/2406.02167), in the size that v2Pro was trained
with (upstream: eres2net/ERes2NetV2.py). Of the network only what v2Pro hears is built: the map that
fuses the last two stages, averaged over time. Batch normalisation is folded into the convolutions
(`eres2net_weights.py`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines.gpt_sovits.features.fbank import N_MELS, fbank

STAGE_BLOCKS = (3, 4, 6, 3)
STEM_CHANNELS = 64
#: Groups of channels in a block; each hears the one before it.
SCALE = 4
#: Channels of a group, of each 64 of the stage.
BASE_WIDTH = 24
#: Channels that a block puts out, as a multiple of the stage's.
EXPANSION = 4
#: Stages from this one on fuse their groups by a gate; earlier ones add them.
FIRST_GATED_STAGE = 2
#: The fusion gates think in this fraction of their channels.
GATE_REDUCTION = 4

EMBEDDING_WIDTH = STEM_CHANNELS * 8 * EXPANSION * (N_MELS // 8)


class Gate(nn.Module):
    """Attentional feature fusion: weighs two maps against each other, place by place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(2 * channels, channels // GATE_REDUCTION, 1)
        self.expand = nn.Conv2d(channels // GATE_REDUCTION, channels, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the fused map; all are [B, C, F, T_frames]."""
        hidden = functional.silu(self.squeeze(torch.cat((x, y), dim=1)))
        weight = torch.tanh(self.expand(hidden))
        return x * (1 + weight) + y * (1 - weight)


class Block(nn.Module):
    """A residual block whose groups of channels see ever larger surroundings."""

    def __init__(self, c_in: int, channels: int, stride: int, *, is_gated: bool) -> None:
        super().__init__()
        self.width = channels * BASE_WIDTH // 64
        c_out = channels * EXPANSION
        self.reduce = nn.Conv2d(c_in, self.width * SCALE, 1, stride)
        self.groups = nn.ModuleList(
            nn.Conv2d(self.width, self.width, 3, padding=1) for _ in range(SCALE)
        )
        n_gates = SCALE - 1 if is_gated else 0
        self.gates = nn.ModuleList(Gate(self.width) for _ in range(n_gates))
        self.restore = nn.Conv2d(self.width * SCALE, c_out, 1)
        is_same = stride == 1 and c_in == c_out
        self.shortcut = nn.Identity() if is_same else nn.Conv2d(c_in, c_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C_in, F, T_frames] → [B, C_out, F/stride, T_frames/stride]."""
        parts = _clip(self.reduce(x)).split(self.width, dim=1)
        heard = [_clip(self.groups[0](parts[0]))]
        for index in range(1, SCALE):
            before, part = heard[-1], parts[index]
            mixed = self.gates[index - 1](before, part) if self.gates else before + part
            heard.append(_clip(self.groups[index](mixed)))
        return _clip(self.restore(torch.cat(heard, dim=1)) + self.shortcut(x))


class ERes2NetV2(nn.Module):
    """The network from filter bank to embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, STEM_CHANNELS, 3, padding=1)
        self.stages = nn.ModuleList(_stage(index) for index in range(len(STAGE_BLOCKS)))
        third, fourth = (STEM_CHANNELS * 2**index * EXPANSION for index in (2, 3))
        self.downsample = nn.Conv2d(third, fourth, 3, stride=2, padding=1, bias=False)
        self.fuse = Gate(fourth)

    def forward(self, features: Tensor) -> Tensor:
        """Return the fused map of the last two stages, averaged over time.

        Args:
            features: Filter bank, [B, F=80, T_frames].

        Returns:
            [B, 20480]: 2048 channels of 10 bands.
        """
        x = functional.relu(self.stem(features[:, None]))
        first, second, third_stage, fourth_stage = self.stages
        third = third_stage(second(first(x)))
        fused = self.fuse(fourth_stage(third), self.downsample(third))
        return fused.flatten(1, 2).mean(dim=-1)

    @torch.inference_mode()
    def verification_embedding(self, waveform_16k: Tensor) -> Tensor:
        """Return the embedding of a clip, [1, 20480].

        Args:
            waveform_16k: [T], in [-1, 1].
        """
        return self(fbank(waveform_16k.float()).to(self.stem.weight))


def _stage(index: int) -> nn.Sequential:
    channels = STEM_CHANNELS * 2**index
    c_in = STEM_CHANNELS if index == 0 else channels // 2 * EXPANSION
    is_gated = index >= FIRST_GATED_STAGE
    blocks = [Block(c_in, channels, stride=1 if index == 0 else 2, is_gated=is_gated)]
    for _ in range(STAGE_BLOCKS[index] - 1):
        blocks.append(Block(channels * EXPANSION, channels, stride=1, is_gated=is_gated))
    return nn.Sequential(*blocks)


def _clip(x: Tensor) -> Tensor:
    """Return the activation inside blocks: a ReLU that ends at 20."""
    return x.clamp(0, 20)
