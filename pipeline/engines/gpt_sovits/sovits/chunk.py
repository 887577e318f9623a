"""What a waveform is made from, and how several chunks share a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from pipeline.engines.gpt_sovits.sovits.config import FRAMES_PER_TOKEN
from pipeline.engines.gpt_sovits.sovits.text_encoder import stretched_length


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What the waveform of one chunk is made from."""

    #: Semantic tokens [T_sem] and phoneme ids [T_ph].
    tokens: Tensor
    phoneme_ids: Tensor
    #: Speaker embedding [1, C, 1].
    speaker: Tensor
    #: 2 is twice as fast.
    speed: float = 1.0
    #: Standard normal numbers [C, T_mel], as `SoVITS.draw` gives; None for the mean.
    noise: Tensor | None = None

    def __post_init__(self) -> None:
        assert self.tokens.dim() == 1
        assert self.phoneme_ids.dim() == 1
        assert len(self.tokens) > 0
        assert len(self.phoneme_ids) > 0
        assert self.speed > 0

    @property
    def n_frames(self) -> int:
        """Frames of its waveform."""
        return stretched_length(FRAMES_PER_TOKEN * len(self.tokens), self.speed)


def padded_batch(rows: Sequence[Tensor], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return rows of different length [T, ...] as [B, T, ...], and where they are [B, T]."""
    lengths = torch.tensor([len(row) for row in rows], device=device)
    padded = pad_sequence([row.to(device) for row in rows], batch_first=True)
    return padded, torch.arange(padded.shape[1], device=device) < lengths[:, None]
