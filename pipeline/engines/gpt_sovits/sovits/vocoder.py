"""Latent → waveform: the generator of HiFi-GAN, told who speaks.

Kong, Kim and Bae, "HiFi-GAN" (2020). Upstream: Generator in module/models.py.

Nine tenths of the time of a chunk is spent here, all of it in convolutions over few channels.
They run as 2-D convolutions one pixel high with the channels last in memory: that is the layout
in which oneDNN and cuDNN reach the speed of the processor with 16 channels as with 256.
"""

from __future__ import annotations

from math import ceil, prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines.gpt_sovits.sovits.config import VocoderConfig
from pipeline.engines.gpt_sovits.sovits.windows import windowed

KERNEL_SIZE = 7
SLOPE = 0.1
#: Slope of the last rectifier: PyTorch's default, which HiFi-GAN fell back to.
LAST_SLOPE = 0.01

#: On a CPU, the longest window that a stage works on at once, and what its length is a multiple of.
WINDOW_FRAMES, GRAIN_FRAMES = 64, 4


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
        self.rate, kernel_size = config.upsample_rates[index], config.upsample_kernels[index]
        #: Positions of its input in each frame.
        self.n_per_frame = prod(config.upsample_rates[:index])
        padding = (kernel_size - self.rate) // 2
        channels = config.initial_channels >> index
        self.upsample = nn.ConvTranspose2d(
            channels,
            channels // 2,
            (1, kernel_size),
            stride=(1, self.rate),
            padding=(0, padding),
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(channels // 2, size, dilations)
            for size, dilations in zip(config.block_kernels, config.block_dilations, strict=True)
        )
        #: Positions of its input on either side on which its output depends.
        self.reach = (self.rate - 1 + padding) // self.rate + ceil(
            max(
                size // 2 * (sum(dilations) + len(dilations))
                for size, dilations in zip(
                    config.block_kernels, config.block_dilations, strict=True
                )
            )
            / self.rate
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, 1, T] → [B, C / 2, 1, rate · T]."""
        if x.device.type != "cpu":
            return self._at_once(x)
        return windowed(
            self._at_once,
            x,
            rate=self.rate,
            reach=self.reach,
            longest=WINDOW_FRAMES * self.n_per_frame,
            grain=GRAIN_FRAMES * self.n_per_frame,
        )

    def _at_once(self, x: Tensor) -> Tensor:
        x = self.upsample(functional.leaky_relu(x, SLOPE))
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
        self.input = _conv(latent_channels, config.initial_channels, KERNEL_SIZE)
        self.speaker = nn.Linear(speaker_channels, config.initial_channels)
        stages = [Stage(config, index) for index in range(len(config.upsample_rates))]
        self.stages = nn.ModuleList(stages)
        channels = config.initial_channels >> len(config.upsample_rates)
        self.output = _conv(channels, 1, KERNEL_SIZE, bias=False)
        #: Frames on either side on which a sample depends.
        self.reach_frames = ceil(
            KERNEL_SIZE // 2 * (1 + 1 / config.hop_samples)
            + sum(stage.reach / stage.n_per_frame for stage in stages)
        )

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
