"""SoVITS as a whole: semantic tokens, phonemes and a speaker → waveform.

A chunk's waveform depends on nothing but the chunk: batches are padded and masked such that
padding is never seen, and noise comes from the chunk's own generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pipeline.engines.gpt_sovits.sovits import config as configs
from pipeline.engines.gpt_sovits.sovits import weights as upstream
from pipeline.engines.gpt_sovits.sovits.chunk import Chunk, padded_batch
from pipeline.engines.gpt_sovits.sovits.config import (
    FRAMES_PER_TOKEN,
    MEETING_WIDTH,
    VERIFICATION_WIDTH,
    SoVITSConfig,
)
from pipeline.engines.gpt_sovits.sovits.flow import Flow
from pipeline.engines.gpt_sovits.sovits.quantizer import Quantizer
from pipeline.engines.gpt_sovits.sovits.reference_encoder import ReferenceEncoder
from pipeline.engines.gpt_sovits.sovits.text_encoder import TextEncoder, stretch
from pipeline.engines.gpt_sovits.sovits.vocoder import Vocoder

Precision = Literal["fp32", "bf16", "fp16"]
#: How far the latent strays from its mean; upstream's choice.
NOISE_SCALE = 0.5

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Verification(nn.Module):
    """How a speaker-verification embedding becomes part of the speaker (v2Pro, v2ProPlus)."""

    def __init__(self, speaker_channels: int) -> None:
        super().__init__()
        self.input = nn.Linear(VERIFICATION_WIDTH, speaker_channels)
        self.rectifier = nn.PReLU(speaker_channels)
        self.meeting = nn.Linear(speaker_channels, MEETING_WIDTH)

    def forward(self, speaker: Tensor, embedding: Tensor) -> Tensor:
        """Speaker [1, C] and verification embedding [1, VERIFICATION_WIDTH] → [1, C]."""
        return self.rectifier(speaker + self.input(embedding))


class SoVITS(nn.Module):
    """The second stage, ready to speak.

    Args:
        config: What the checkpoint is.
    """

    def __init__(self, config: SoVITSConfig) -> None:
        super().__init__()
        self.config = config
        self.quantizer = Quantizer()
        self.text_encoder = TextEncoder(config)
        self.reference_encoder = ReferenceEncoder(config.n_bins_heard, config.speaker_channels)
        self.flow = Flow(config.latent_channels, config.width, config.speaker_channels)
        self.vocoder = Vocoder(config.latent_channels, config.speaker_channels, config.vocoder)
        if config.hears_verification:
            self.verification = Verification(config.speaker_channels)

    @classmethod
    def from_weights(
        cls,
        config: Mapping[str, Any],
        weights: Mapping[str, Tensor],
        *,
        precision: Precision = "fp32",
        device: torch.device | str = "cpu",
    ) -> SoVITS:
        """Return the model of a checkpoint.

        Args:
            config: The checkpoint's `config`.
            weights: The checkpoint's tensors by upstream's names.
            precision: What the vocoder computes in; everything before it is float32.
            device: Where the model runs.

        Raises:
            ModelError: The checkpoint is not a SoVITS checkpoint that the engine speaks.
        """
        read = configs.read(config, weights)
        with torch.device("meta"):  # Nothing is filled in only to be overwritten.
            model = cls(read)
        upstream.load(model, weights, len(read.vocoder.block_kernels))
        model.eval().requires_grad_(requires_grad=False)
        return in_precision(model, precision).to(device)

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self.quantizer.codebook.device

    @torch.inference_mode()
    def speaker_embedding(
        self, spectrograms: Sequence[Tensor], verification: Sequence[Tensor] | None = None
    ) -> Tensor:
        """Return the speaker [1, C, 1], the mean over the references.

        Args:
            spectrograms: Linear spectrogram of each reference audio, [1, F, T_mel].
            verification: Verification embedding of each, [1, VERIFICATION_WIDTH]; v2Pro and
                v2ProPlus need it, the others ignore it.
        """
        assert spectrograms
        speakers = [self.reference_encoder(each.to(self.device).float()) for each in spectrograms]
        if self.config.hears_verification:
            assert verification is not None
            speakers = [
                self.verification(speaker, embedding.to(self.device).float())
                for speaker, embedding in zip(speakers, verification, strict=True)
            ]
        return torch.stack(speakers).mean(0)[..., None]

    @torch.inference_mode()
    def tokens(self, features: Tensor) -> Tensor:
        """Return the semantic tokens [T_sem] of HuBERT features [1, FEATURE_WIDTH, T]."""
        return self.quantizer.tokens(features.to(self.device).float())

    def draw(self, n_frames: int, generator: torch.Generator) -> Tensor:
        """Return noise for a number of frames, [C, T_mel]: the same on every device.

        Frames are drawn one after the other from a generator on the CPU, so that drawing twice
        continues.
        """
        return torch.randn((n_frames, self.config.latent_channels), generator=generator).T

    def decode(
        self,
        tokens: Tensor,
        phoneme_ids: Tensor,
        speaker: Tensor,
        *,
        speed: float = 1.0,
        noise: Tensor | None = None,
        noise_scale: float = NOISE_SCALE,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the waveform [T] of one chunk.

        Args:
            tokens: Semantic tokens [T_sem].
            phoneme_ids: Of the same words, [T_ph].
            speaker: As `speaker_embedding` gives, [1, C, 1].
            speed: 2 is twice as fast.
            noise: Standard normal numbers [C, T_mel], or drawn from the generator.
            noise_scale: How far the latent strays from its mean; 0 needs no noise.
            generator: On the CPU.
        """
        chunk = Chunk(tokens, phoneme_ids, speaker, speed, noise)
        if noise is None and noise_scale:
            assert generator is not None
            chunk = replace(chunk, noise=self.draw(chunk.n_frames, generator))
        return self.decode_batch([chunk], noise_scale=noise_scale)[0]

    @torch.inference_mode()
    def decode_batch(
        self, chunks: Sequence[Chunk], *, noise_scale: float = NOISE_SCALE
    ) -> list[Tensor]:
        """Return the waveform [T] of each chunk, as `decode` would of it alone.

        The encoder and the flow see all chunks at once. The vocoder sees one after the other: it
        fills the processor with a single chunk, and silence around a chunk is then silence to
        each of its layers.
        """
        latents = self.latents(chunks, self.frames(chunks), noise_scale=noise_scale)
        return [
            self.vocoder(latent[None], self.speakers([chunk]))[0]
            for chunk, latent in zip(chunks, latents, strict=True)
        ]

    def frames(self, chunks: Sequence[Chunk]) -> list[Tensor]:
        """Return what the encoder makes of each chunk, [T_mel, D] before any stretching."""
        tokens, token_mask = padded_batch([chunk.tokens for chunk in chunks], self.device)
        phoneme_ids, phoneme_mask = padded_batch(
            [chunk.phoneme_ids for chunk in chunks], self.device
        )
        mask = token_mask.repeat_interleave(FRAMES_PER_TOKEN, dim=1)
        speakers = self.speakers(chunks)
        if self.config.hears_verification:
            speakers = self.verification.meeting(speakers)
        frames = self.text_encoder(
            self.quantizer(tokens), mask, phoneme_ids, phoneme_mask, speakers
        )
        lengths = [FRAMES_PER_TOKEN * len(chunk.tokens) for chunk in chunks]
        return [row[:length] for row, length in zip(frames, lengths, strict=True)]

    def latents(
        self, chunks: Sequence[Chunk], frames: Sequence[Tensor], *, noise_scale: float
    ) -> list[Tensor]:
        """Return the latent of each chunk's voice, [C, T_mel], stretched to its speed."""
        stretched = [stretch(each, chunk.speed) for chunk, each in zip(chunks, frames, strict=True)]
        padded, mask = padded_batch(stretched, self.device)
        noise = _noise(chunks, self.device) if noise_scale else None
        shown = mask[:, None]
        latent = self.sample(padded, noise, noise_scale) * shown
        latent = self.flow(latent, shown, self.speakers(chunks))
        return [row[:, : len(each)] for row, each in zip(latent, stretched, strict=True)]

    def sample(self, frames: Tensor, noise: Tensor | None, noise_scale: float) -> Tensor:
        """Return a latent of the text, before the flow.

        Args:
            frames: [B, T_mel, D].
            noise: Standard normal numbers [B, T_mel, C]; None for the mean.
            noise_scale: How far the latent strays from its mean.

        Returns:
            [B, C, T_mel].
        """
        mean, log_deviation = self.text_encoder.distribution(frames)
        if noise is None:
            return mean
        return mean + noise.transpose(1, 2) * log_deviation.exp() * noise_scale

    def speakers(self, chunks: Sequence[Chunk]) -> Tensor:
        """Return the speakers side by side, [B, C]."""
        return torch.cat([chunk.speaker for chunk in chunks]).squeeze(-1).to(self.device)


def _noise(chunks: Sequence[Chunk], device: torch.device) -> Tensor:
    """Return the noise of chunks side by side, [B, T_mel, C]."""
    rows = []
    for chunk in chunks:
        assert chunk.noise is not None
        assert chunk.noise.shape[1] == chunk.n_frames
        rows.append(chunk.noise.T.float())
    return padded_batch(rows, device)[0]


def in_precision(model: SoVITS, precision: Precision) -> SoVITS:
    """Return the model with a vocoder that computes in a precision.

    Nine tenths of the work are there; everything before it stays float32.
    """
    model.vocoder.to(_DTYPES[precision])
    return model
