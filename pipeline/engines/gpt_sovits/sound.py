"""Waveforms of fragments: whether they are sound, and how they are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.semantic.decoder import Decoded
from pipeline.errors import EngineError

#: What v1, v2, v2Pro and v2ProPlus give.
SAMPLE_RATE_HZ = 32_000

#: Sound with a lower peak is silence: −60 dBFS.
SILENT_PEAK = 1e-3

#: [T], in [-1, 1].
Waveform = npt.NDArray[np.float32]


def require_end(decoded: Decoded, text: str) -> None:
    """Refuse tokens that did not come to an end by themselves.

    Raises:
        EngineError: They did not.
    """
    if decoded.ending == "end":
        return
    what = "went round in circles" if decoded.ending == "loop" else "did not end"
    raise EngineError(f"The model {what} after {len(decoded.tokens)} tokens on {text!r}.")


def checked(samples: Waveform, text: str) -> Waveform:
    """Return a waveform with a peak of at most 1.

    Raises:
        EngineError: It is empty or silent, or not made of numbers.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if not np.isfinite(peak):
        raise EngineError(f"The model gave no numbers for {text!r}; try precision fp32.")
    if peak < SILENT_PEAK:
        raise EngineError(f"The model gave silence for {text!r}.")
    return samples / peak if peak > 1 else samples


def given(*parts: Tensor) -> Iterator[Waveform]:
    """Yield what there is of a stream's parts; how loud the rest will be is not known yet."""
    for part in parts:
        if len(part):
            yield part.float().clamp(-1, 1).cpu().numpy()


def joined(fragments: Mapping[int, Waveform], parameters: Parameters) -> Waveform:
    """Join a request's fragments, by number, with silence between them."""
    parts: list[Waveform] = []
    for number in sorted(fragments):
        parts += [fragments[number]] if number == 0 else [silence(parameters), fragments[number]]
    return np.concatenate(parts)


def silence(parameters: Parameters) -> Waveform:
    """Return the silence between two fragments."""
    return np.zeros(int(SAMPLE_RATE_HZ * parameters.fragment_interval), np.float32)
