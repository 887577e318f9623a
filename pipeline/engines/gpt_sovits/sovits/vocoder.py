"""Latent → waveform: the generator of HiFi-GAN, told who speaks.

Kong, Kim and Bae, "HiFi-GAN" (2020). Upstream: Generator in module/models.py.

Nine tenths of the time of a chunk is spent here, all of it in convolutions over few channels.
They run as 2-D convolutions one pixel high with the channels last in memory: that is the layout
in which oneDNN and cuDNN reach the speed of the processor with 16 channels as with 256.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines.gpt_sovits.sovits.config import VocoderConfig

KERNEL_SIZE = 7
SLOPE = 0.1
#: Slope of the last rectifier: PyTorch's default, which HiFi-GAN fell back to.
LAST_SLOPE = 0.01


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each dilated, with a residual around each pair."""

    def __init__(self, channels: int, kernel_size: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            _conv(channels, channels, kernel_size, dilation) for dilation in dilations
        )
        self.plain = nn.ModuleList(_conv(channels, channels, kernel_size) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, 1, T] → [B, C, 1, T]."""
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            y = dilated(functional.leaky_relu(x, SLOPE))
            x = plain(functional.leaky_relu_(y, SLOPE)).add_(x)
        return x


class Stage(nn.Module):
    """Upsampling, then the mean of residual blocks that differ in reach."""

    def __init__(self, config: VocoderConfig, index: int) -> None:
        super().__init__()
        rate, kernel_size = config.upsample_rates[index], config.upsample_kernels[index]
        channels = config.initial_channels >> index
        self.upsample = nn.ConvTranspose2d(
            channels,
            channels // 2,
            (1, kernel_size),
            stride=(1, rate),
            padding=(0, (kernel_size - rate) // 2),
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(channels // 2, size, dilations)
            for size, dilations in zip(config.block_kernels, config.block_dilations, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, 1, T] → [B, C / 2, 1, rate · T]; the input is overwritten."""
        x = self.upsample(functional.leaky_relu_(x, SLOPE))
        total: Tensor | None = None
        for block in self.blocks:
            total = block(x) if total is None else total.add_(block(x))
        assert total is not None
        return total.div_(len(self.blocks))


class Vocoder(nn.Module):
    """A latent and a speaker → a waveform.

    Args:
        latent_channels: C of the latent.
        speaker_channels: Width of the speaker embedding.
        config: The rest.
    """

    def __init__(self, latent_channels: int, speaker_channels: int, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.reach_frames = reach_frames(config)
        self.input = _conv(latent_channels, config.initial_channels, KERNEL_SIZE)
        self.speaker = nn.Linear(speaker_channels, config.initial_channels)
        self.stages = nn.ModuleList(
            Stage(config, index) for index in range(len(config.upsample_rates))
        )
        channels = config.initial_channels >> len(config.upsample_rates)
        self.output = _conv(channels, 1, KERNEL_SIZE, bias=False)

    @property
    def hop_samples(self) -> int:
        """Samples per frame."""
        return self.config.hop_samples

    def piece(self, latent: Tensor, speaker: Tensor, start: int, stop: int) -> Tensor:
        """Return the samples of the frames from `start` to `stop` only, [B, T].

        They are those that `forward` gives: it hears as many frames around them as they depend on.
        """
        first = max(0, start - self.reach_frames)
        heard = latent[..., first : stop + self.reach_frames]
        wave = self(heard, speaker)
        return wave[:, (start - first) * self.hop_samples : (stop - first) * self.hop_samples]

    def forward(self, latent: Tensor, speaker: Tensor) -> Tensor:
        """Latent [B, C, T_mel] and speaker [B, C_speaker] → waveform [B, T], float32."""
        dtype = self.input.weight.dtype
        x = latent[:, :, None].to(dtype, memory_format=torch.channels_last)
        x = self.input(x).add_(self.speaker(speaker.to(dtype))[..., None, None])
        for stage in self.stages:
            x = stage(x)
        wave = self.output(functional.leaky_relu_(x, LAST_SLOPE))
        return wave[:, 0, 0].float().tanh()


def reach_frames(config: VocoderConfig) -> int:
    """Return on how many frames on either side a sample depends."""
    reach, rate = Fraction(KERNEL_SIZE // 2), 1
    for factor, kernel in zip(config.upsample_rates, config.upsample_kernels, strict=True):
        reach += Fraction(ceil((kernel + factor) / 2 / factor), rate)
        rate *= factor
        blocks = zip(config.block_kernels, config.block_dilations, strict=True)
        samples = max(size // 2 * (sum(dilations) + len(dilations)) for size, dilations in blocks)
        reach += Fraction(samples, rate)
    return ceil(reach + Fraction(KERNEL_SIZE // 2, rate))


def _conv(
    n_in: int, n_out: int, kernel_size: int, dilation: int = 1, *, bias: bool = True
) -> nn.Conv2d:
    """Return a convolution over time that keeps the length."""
    return nn.Conv2d(
        n_in,
        n_out,
        (1, kernel_size),
        padding=(0, (kernel_size - 1) * dilation // 2),
        dilation=(1, dilation),
        bias=bias,
    )
