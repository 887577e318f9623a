"""A voice as one set of models hears it, written down and read again."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from pipeline.engines.gpt_sovits.voice_prompt import VERSION, VoicePrompt
from pipeline.errors import CorruptObjectError


def prompt(n_tokens: int = 30, n_phonemes: int = 12, n_frames: int = 20) -> VoicePrompt:
    return VoicePrompt(
        tokens=torch.randint(1024, (n_tokens,)),
        phoneme_ids=torch.randint(732, (n_phonemes,)),
        bert=torch.randn(1024, n_phonemes),
        speaker=torch.randn(1, 512, 1),
        spectrogram=torch.rand(1, 1025, n_frames),
    )


def parts(of: VoicePrompt) -> dict[str, Any]:
    return {field.name: getattr(of, field.name).contiguous() for field in fields(of)}


@pytest.mark.parametrize("written", [prompt(), prompt(0, 0)])
def test_what_was_written_is_read(written: VoicePrompt) -> None:
    read = VoicePrompt.decode(written.encode())
    for name, expected in parts(written).items():
        assert torch.equal(getattr(read, name), expected)
        assert getattr(read, name).dtype == expected.dtype
    assert read.encode() == written.encode()


WRITTEN = prompt(5, 1, 1).encode()
#: The bytes that say what is where; a change in the numbers is found by the store's checksum.
HEADER = 8 + int.from_bytes(WRITTEN[:8], "little")


@settings(max_examples=300)
@given(st.integers(0, HEADER - 1), st.integers(1, 255))
def test_a_damaged_header_is_refused_or_changes_nothing(place: int, by: int) -> None:
    damaged = bytearray(WRITTEN)
    damaged[place] ^= by
    try:
        read = VoicePrompt.decode(bytes(damaged))
    except CorruptObjectError:
        return
    assert read.bert.shape == (1024, len(read.phoneme_ids))
    assert read.tokens.dtype == read.phoneme_ids.dtype == torch.int64


@pytest.mark.parametrize("n_bytes", [0, 7, 8, HEADER - 1, HEADER, len(WRITTEN) - 1])
def test_a_truncated_prompt_is_refused(n_bytes: int) -> None:
    with pytest.raises(CorruptObjectError, match="Not a voice prompt"):
        VoicePrompt.decode(WRITTEN[:n_bytes])


@pytest.mark.parametrize("missing", [field.name for field in fields(VoicePrompt)])
def test_a_missing_part_is_refused(missing: str) -> None:
    tensors = parts(prompt())
    del tensors[missing]
    with pytest.raises(CorruptObjectError, match=missing):
        VoicePrompt.decode(save(tensors, metadata={"voice_prompt": VERSION}))


def test_a_part_too_many_is_refused() -> None:
    tensors = parts(prompt()) | {"more": torch.zeros(1)}
    with pytest.raises(CorruptObjectError, match="do not fit together"):
        VoicePrompt.decode(save(tensors, metadata={"voice_prompt": VERSION}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"bert": torch.zeros(1024, 11)},
        {"bert": torch.zeros(768, 12)},
        {"tokens": torch.zeros(1, 30, dtype=torch.int64)},
        {"tokens": torch.zeros(30)},
        {"phoneme_ids": torch.zeros(12, dtype=torch.int32)},
        {"speaker": torch.zeros(512)},
        {"speaker": torch.full((1, 512, 1), torch.nan)},
        {"spectrogram": torch.full((1, 1025, 9), torch.inf)},
        {"spectrogram": torch.zeros(1, 1025, 9, dtype=torch.float16)},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(wrong: dict[str, torch.Tensor]) -> None:
    with pytest.raises(CorruptObjectError, match="do not fit together"):
        VoicePrompt.decode(replace(prompt(), **wrong).encode())


@pytest.mark.parametrize("metadata", [None, {}, {"voice_prompt": "0"}, {"other": VERSION}])
def test_a_prompt_of_another_version_is_refused(metadata: dict[str, str] | None) -> None:
    with pytest.raises(CorruptObjectError, match=f"not {VERSION}"):
        VoicePrompt.decode(save(parts(prompt()), metadata=metadata))
