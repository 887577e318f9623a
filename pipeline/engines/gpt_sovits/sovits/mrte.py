"""Where tokens meet phonemes and the speaker (upstream: module/mrte_model.py)."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.engines.gpt_sovits.sovits.attention import Attention
from pipeline.engines.gpt_sovits.sovits.config import MEETING_WIDTH

N_HEADS = 4


class MultiReferenceTimbreEncoder(nn.Module):
    """Tokens look at the phonemes; the speaker is added to all of them.

    Args:
        width: D of the tokens and phonemes.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.token_input = nn.Linear(width, MEETING_WIDTH)
        self.phoneme_input = nn.Linear(width, MEETING_WIDTH)
        self.attention = Attention(MEETING_WIDTH, N_HEADS)
        self.output = nn.Linear(MEETING_WIDTH, width)

    def forward(
        self, tokens: Tensor, phonemes: Tensor, phoneme_mask: Tensor, speaker: Tensor
    ) -> Tensor:
        """Return [B, T, D].

        Args:
            tokens: [B, T, D].
            phonemes: [B, T_ph, D].
            phoneme_mask: Boolean [B, T_ph].
            speaker: [B, MEETING_WIDTH].
        """
        tokens = self.token_input(tokens)
        heard = self.attention(tokens, self.phoneme_input(phonemes), phoneme_mask)
        return self.output(heard + tokens + speaker[:, None])
