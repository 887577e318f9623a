from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.models import mel, windows


@given(st.lists(st.integers(1, 25 * 16_000), max_size=12))
def test_packing_keeps_every_clip_in_order_and_fits_the_window(lengths: list[int]) -> None:
    clips = [np.full(length, i, np.float32) for i, length in enumerate(lengths)]
    batches = list(windows.packed(clips))
    assert [int(clip[0]) for batch in batches for clip in batch] == list(range(len(clips)))
    for batch in batches:
        seconds = sum(len(clip) / mel.SAMPLE_RATE_HZ + windows.GAP_S for clip in batch)
        assert seconds <= windows.CUT_S


@given(st.lists(st.integers(0, 400_000), max_size=8))
def test_cutting_loses_no_sample(lengths: list[int]) -> None:
    total = np.arange(sum(lengths), dtype=np.float32)
    blocks = np.split(total, np.cumsum(lengths)[:-1]) if lengths else []
    pieces = list(windows.cut_at_pauses(blocks))
    assert np.array_equal(np.concatenate([np.zeros(0, np.float32), *pieces]), total)
    assert all(len(piece) <= windows.CUT_S * mel.SAMPLE_RATE_HZ for piece in pieces)


def test_a_cut_falls_into_the_pause() -> None:
    noise = np.random.default_rng(1).standard_normal(35 * 16_000).astype(np.float32)
    noise[25 * 16_000 : 25 * 16_000 + 8_000] = 0
    first, _ = windows.cut_at_pauses([noise])
    assert 25 * 16_000 < len(first) < 25 * 16_000 + 8_000


def test_features_have_a_column_for_every_hop() -> None:
    features = mel.log_mel(np.zeros(16_000, np.float32), 80)
    assert features.shape == (80, 100)
    assert np.isfinite(features).all()


def test_a_tone_shows_in_its_own_mel_band() -> None:
    time = np.arange(16_000) / 16_000
    peaks = [
        int(mel.log_mel(np.sin(2 * np.pi * hz * time).astype(np.float32), 80).mean(1).argmax())
        for hz in (200, 1000, 4000)
    ]
    assert peaks == sorted(set(peaks))


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp3"
    path.write_text("not audio")
    with pytest.raises(InputError, match=r"notes\.mp3.*cannot decode"):
        list(windows.blocks(path))
