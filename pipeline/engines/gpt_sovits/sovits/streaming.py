"""Waveforms while semantic tokens still arrive.

The encoder's attention sees the whole chunk, so what it makes of a token changes as long as tokens
follow; everything after it is local. `Stream` therefore settles the encoder's frames step by step,
and from there on gives exactly what decoding the whole chunk gives. `decode_streaming` gives what
upstream's function of that name gives.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.sovits import flow
from pipeline.engines.gpt_sovits.sovits.chunk import Chunk
from pipeline.engines.gpt_sovits.sovits.config import FRAMES_PER_TOKEN
from pipeline.engines.gpt_sovits.sovits.model import NOISE_SCALE, SoVITS

#: Newest frames that wait for their successors, and frames over which old turns into new.
HELD_FRAMES = 8
FADE_FRAMES = 4


class Stream:
    """One chunk whose tokens arrive; what `push` and `finish` return joins to its waveform.

    Pushed all at once, the tokens give exactly what `SoVITS.decode` gives.

    Args:
        model: The second stage.
        phoneme_ids: Of the whole chunk, [T_ph].
        speaker: [1, C, 1].
        generator: On the CPU, for the noise.
        noise_scale: How far the latent strays from its mean; 0 needs no generator.
    """

    def __init__(
        self,
        model: SoVITS,
        phoneme_ids: Tensor,
        speaker: Tensor,
        *,
        generator: torch.Generator | None = None,
        noise_scale: float = NOISE_SCALE,
    ) -> None:
        assert generator is not None or not noise_scale
        self._model, self._phoneme_ids, self._speaker = model, phoneme_ids, speaker
        self._generator, self._noise_scale = generator, noise_scale
        self._tokens = torch.empty(0, dtype=torch.long)
        #: Latent of what is settled, before the flow.
        self._latent = torch.empty(1, model.config.latent_channels, 0, device=model.device)
        #: Frames that are not settled, as the last encoding has them.
        self._held = torch.empty(0, model.config.width, device=model.device)
        self._n_given = 0

    @torch.inference_mode()
    def push(self, tokens: Tensor) -> Tensor:
        """Return the samples [T] that more tokens [T_sem] settle; often none at first."""
        self._tokens = torch.cat((self._tokens, tokens.cpu()))
        chunk = Chunk(self._tokens, self._phoneme_ids, self._speaker)
        frames = self._model.frames([chunk])[0][self._latent.shape[-1] :]
        frames = _faded(self._held[:FADE_FRAMES], frames)
        n_new = max(0, len(frames) - HELD_FRAMES)
        self._held = frames[n_new:]
        self._settle(frames[:n_new])
        return self._give(self._latent.shape[-1] - self._reach_frames)

    @torch.inference_mode()
    def finish(self) -> Tensor:
        """Return the samples [T] that waited for more tokens."""
        self._settle(self._held)
        return self._give(self._latent.shape[-1])

    @property
    def _reach_frames(self) -> int:
        return flow.REACH_FRAMES + self._model.vocoder.reach_frames

    def _settle(self, frames: Tensor) -> None:
        noise: Tensor | None = None
        if self._noise_scale:
            assert self._generator is not None
            noise = self._model.draw(len(frames), self._generator).T[None].to(self._model.device)
        latent = self._model.sample(frames[None], noise, self._noise_scale)
        self._latent = torch.cat((self._latent, latent), dim=-1)

    def _give(self, stop: int) -> Tensor:
        """Return the samples of the frames before `stop` that were not yet given."""
        if stop <= self._n_given:
            return torch.empty(0, device=self._model.device)
        start, self._n_given = self._n_given, stop
        first = max(0, start - self._reach_frames)
        heard = self._latent[..., first:]
        speaker = self._speaker.squeeze(-1).to(self._model.device)
        latent = self._model.flow(heard, torch.ones_like(heard[:, :1]), speaker)
        return self._model.vocoder.piece(latent, speaker, start - first, stop - first)[0]


def _faded(old: Tensor, new: Tensor) -> Tensor:
    """Return `new` [T_mel, D] turning from `old` [T_fade, D] over the first frames.

    Both tell the same tokens and are much alike, so the weights add up to one.
    """
    n = len(old)
    weight = torch.arange(1, n + 1, device=new.device)[:, None] / (n + 1)
    return torch.cat((old.lerp(new[:n], weight), new[n:]))


@torch.inference_mode()
def decode_streaming(
    model: SoVITS,
    tokens: Tensor,
    phoneme_ids: Tensor,
    speaker: Tensor,
    *,
    speed: float = 1.0,
    n_last: int | None = None,
    overlap: Tensor | None = None,
    noise: Tensor | None = None,
    noise_scale: float = NOISE_SCALE,
) -> tuple[Tensor, Tensor]:
    """Return the waveform of the last tokens, as upstream does, and their frames.

    Args:
        model: The second stage.
        tokens: All semantic tokens so far, [T_sem].
        phoneme_ids: Of the whole chunk, [T_ph].
        speaker: [1, C, 1].
        speed: 2 is twice as fast.
        n_last: How many tokens, counted from the last, the waveform is of; None is all.
        overlap: Frames of an earlier call, [T_overlap, D], that the first ones continue.
        noise: Standard normal numbers [C, T_mel] for the waveform's frames.
        noise_scale: How far the latent strays from its mean; 0 needs no noise.

    Returns:
        Waveform [T], and frames [T_mel, D] before any stretching.
    """
    (frames,) = model.frames([Chunk(tokens, phoneme_ids, speaker)])
    if n_last is not None:
        frames = frames[-FRAMES_PER_TOKEN * n_last :]
    if overlap is not None:
        frames = crossfade(overlap.to(frames), frames)
    kept = Chunk(tokens[-(len(frames) // FRAMES_PER_TOKEN) :], phoneme_ids, speaker, speed, noise)
    (latent,) = model.latents([kept], [frames], noise_scale=noise_scale)
    return model.vocoder(latent[None], model.speakers([kept]))[0], frames


def crossfade(old: Tensor, new: Tensor) -> Tensor:
    """Return `new` [T_mel, D] with its first frames faded in from `old` [T_overlap, D].

    A sine rises while a cosine falls, so that unlike signals keep their power.
    """
    n = len(old)
    angle = torch.arange(n, device=new.device, dtype=new.dtype)[:, None] * (torch.pi / (2 * n))
    return torch.cat((angle.sin() * new[:n] + angle.cos() * old, new[n:]))
