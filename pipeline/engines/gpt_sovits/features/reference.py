"""A reference clip as the models hear it (upstream: TTS_infer_pack/TTS.py).

Upstream reads the clip twice: for HuBERT with librosa, which resamples with soxr, and for the
spectrogram with torchaudio, which resamples with its own sinc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.features import fbank, hubert, spectrogram
from pipeline.engines.gpt_sovits.features.resample import resample
from pipeline.errors import RequestError

SHORTEST_S, LONGEST_S = 3, 10

#: Zeros behind the clip when HuBERT hears it: upstream's 0.3 s at 32 kHz, which at 16 kHz are 0.6.
TAIL_SAMPLES = 9600

#: Clips with a higher peak than 1 are made softer, by at most this.
_MOST_ATTENUATION = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference clip, on the CPU and in float32."""

    #: What HuBERT hears, at 16 kHz and with its tail of zeros; [T].
    prompt_16k: Tensor
    #: What the reference encoder hears; [1, 1025, T_frames] at 50 frames a second.
    spectrogram: Tensor
    #: What the speaker verification network hears, at 16 kHz; [T].
    verification_16k: Tensor


def prepare(clip: npt.NDArray[np.float32], sample_rate_hz: int) -> Reference:
    """Return a reference clip as each model hears it.

    Args:
        clip: [T], mono.
        sample_rate_hz: The clip's sample rate.

    Raises:
        RequestError: The clip is shorter than 3 s or longer than 10 s.
    """
    assert clip.ndim == 1
    prompt = _by_soxr(clip, sample_rate_hz)
    _check_length(len(prompt))
    waveform_32k = _softened(
        resample(torch.tensor(clip)[None], sample_rate_hz, spectrogram.SAMPLE_RATE_HZ)
    )
    return Reference(
        prompt_16k=torch.from_numpy(np.pad(prompt, (0, TAIL_SAMPLES))),
        spectrogram=spectrogram.reference_spectrogram(waveform_32k),
        verification_16k=resample(waveform_32k, spectrogram.SAMPLE_RATE_HZ, fbank.SAMPLE_RATE_HZ)[
            0
        ],
    )


def _check_length(n_samples: int) -> None:
    """Refuse a clip, at HuBERT's sample rate, that upstream would refuse."""
    length_s = n_samples / hubert.SAMPLE_RATE_HZ
    if not SHORTEST_S <= length_s <= LONGEST_S:
        raise RequestError(
            f"The reference audio is {length_s:.2f} s long; GPT-SoVITS needs {SHORTEST_S} to "
            f"{LONGEST_S} s of clear speech. Cut it to a sentence or two."
        )


def _softened(waveform: Tensor) -> Tensor:
    peak = float(waveform.abs().max())
    return waveform / min(_MOST_ATTENUATION, peak) if peak > 1 else waveform


def _by_soxr(clip: npt.NDArray[np.float32], sample_rate_hz: int) -> npt.NDArray[np.float32]:
    """Return the clip at HuBERT's sample rate, as librosa resamples it by default."""
    if sample_rate_hz == hubert.SAMPLE_RATE_HZ:
        return clip
    found = soxr.resample(clip, sample_rate_hz, hubert.SAMPLE_RATE_HZ, quality="HQ")
    length = math.ceil(len(clip) * hubert.SAMPLE_RATE_HZ / sample_rate_hz)
    return np.pad(found[:length], (0, max(0, length - len(found)))).astype(np.float32)
