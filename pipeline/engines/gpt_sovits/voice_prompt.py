"""All that the networks need to know of a voice, computed once and kept.

A voice prompt belongs to one voice and one set of models: with other models the same clip gives
other numbers, so prompts are stored under the models' fingerprint and never mixed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic.config import BERT_WIDTH
from pipeline.errors import CorruptObjectError

#: Raised when what a voice prompt holds changes.
VERSION = "1"


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrompt:
    """A voice as one set of models hears it; everything on the CPU."""

    #: Semantic tokens of the reference audio; [T_prompt] int64, empty when its text is not known.
    tokens: Tensor
    #: Of the reference text; [T_ph] int64.
    phoneme_ids: Tensor
    #: Features of the reference text; [BERT_WIDTH, T_ph] fp32.
    bert: Tensor
    #: Speaker embedding; [1, C, 1] fp32, the mean of all reference audios.
    speaker: Tensor
    #: Of the reference audio; [1, 1025, T_mel] fp32.
    spectrogram: Tensor

    def encode(self) -> bytes:
        """Return the prompt as a safetensors file."""
        tensors = {field.name: getattr(self, field.name).contiguous() for field in fields(self)}
        return save_tensors(tensors, metadata={"voice_prompt": VERSION})

    @classmethod
    def decode(cls, data: bytes) -> VoicePrompt:
        """Read what `encode` wrote.

        Raises:
            CorruptObjectError: The bytes are not a voice prompt.
        """
        try:
            tensors = load_tensors(data)
            version = _version(data)
            prompt = cls(**{field.name: tensors.pop(field.name) for field in fields(cls)})
        except (SafetensorError, KeyError, ValueError) as error:
            raise CorruptObjectError(f"Not a voice prompt: {error}.") from error
        if version != VERSION:
            raise CorruptObjectError(f"A voice prompt of version {version}, not {VERSION}.")
        if tensors or not prompt._is_sound():
            raise CorruptObjectError("Not a voice prompt: its tensors do not fit together.")
        return prompt

    def _is_sound(self) -> bool:
        ids, numbers = (self.tokens, self.phoneme_ids), (self.bert, self.speaker, self.spectrogram)
        return (
            all(each.dtype == torch.int64 for each in ids)
            and all(each.dtype == torch.float32 for each in numbers)
            and self.tokens.ndim == self.phoneme_ids.ndim == 1
            and self.bert.shape == (BERT_WIDTH, len(self.phoneme_ids))
            and self.speaker.ndim == self.spectrogram.ndim == 3
            and all(bool(each.isfinite().all()) for each in numbers)
        )


def _version(data: bytes) -> str:
    """Return the version in the header of a safetensors file that was read before."""
    length = int.from_bytes(data[:8], "little")
    return str(json.loads(data[8 : 8 + length]).get("__metadata__", {}).get("voice_prompt"))
