"""When a sequence counts as one that will not end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.gpt_sovits.semantic.runaway import (
    LOOP_TOKENS,
    MAX_NEW_TOKENS,
    MAX_TURN_TOKENS,
    is_looping,
    token_limit,
)


@given(st.integers(1, MAX_TURN_TOKENS), st.integers(0, 200), st.integers(0, 99))
def test_a_short_turn_over_and_over_is_a_loop(turn: int, n_before: int, seed: int) -> None:
    stream = random.Random(seed)
    before = [stream.randrange(1024) for _ in range(n_before)]
    tokens = before + [2000 + i % turn for i in range(LOOP_TOKENS)]
    assert is_looping(tokens)
    assert not is_looping([*tokens[:-1], 1])


@given(st.integers(0, 99))
def test_speech_is_no_loop(seed: int) -> None:
    stream = random.Random(seed)
    assert not is_looping([stream.randrange(1024) for _ in range(300)])


def test_two_seconds_of_one_token_are_a_pause_not_a_loop() -> None:
    assert not is_looping([3, 5, 9] + 50 * [7])
    assert not is_looping((LOOP_TOKENS - 1) * [7])


@pytest.mark.parametrize(("n_phonemes", "at_least_s"), [(0, 1), (6, 2), (100, 20), (400, 60)])
def test_a_text_may_take_as_long_as_slow_speech_and_no_more_than_a_minute(
    n_phonemes: int, at_least_s: int
) -> None:
    limit = token_limit(n_phonemes)
    assert at_least_s * 25 <= limit <= MAX_NEW_TOKENS


def test_slow_speech_gets_more_time_and_fast_speech_no_less() -> None:
    assert token_limit(50, speed=0.5) > token_limit(50) == token_limit(50, speed=2.0)
