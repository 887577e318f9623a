"""When a sequence will not end by itself: it repeats itself, or says far more than the text has."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.engines.gpt_sovits.semantic.config import TOKENS_PER_S

#: Upstream's hard limit of new tokens: one minute.
MAX_NEW_TOKENS = 1500

#: So much of the same over and over is no speech: three seconds, in turns of at most one.
LOOP_TOKENS = 3 * TOKENS_PER_S
MAX_TURN_TOKENS = TOKENS_PER_S

#: Tokens a phoneme may take. Slow speech takes four; a text that takes eight is not being read.
TOKENS_PER_PHONEME = 8
#: What every text may take besides: silence before and after.
SPARE_TOKENS = 3 * TOKENS_PER_S


def token_limit(n_phonemes: int, speed: float = 1.0) -> int:
    """Return how many tokens a text of so many phonemes may take before it counts as runaway."""
    return min(
        MAX_NEW_TOKENS, SPARE_TOKENS + round(TOKENS_PER_PHONEME * n_phonemes / min(speed, 1))
    )


def is_looping(tokens: Sequence[int]) -> bool:
    """Tell whether the sequence's end is one short turn over and over."""
    tail = list(tokens[-LOOP_TOKENS:])
    if len(tail) < LOOP_TOKENS:
        return False
    return any(tail[turn:] == tail[:-turn] for turn in range(1, MAX_TURN_TOKENS + 1))
