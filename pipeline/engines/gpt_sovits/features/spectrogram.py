"""Linear spectrograms (upstream: module/mel_processing.py)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: The spectrogram that the reference encoder hears.
SAMPLE_RATE_HZ = 32_000
N_FFT = 2048
HOP_SAMPLES = 640

#: Added to the power, so that silence has a magnitude of 1e-4 and not of 0.
_POWER_FLOOR = 1e-8


def reference_spectrogram(waveform_32k: Tensor) -> Tensor:
    """Return the spectrogram of a reference clip.

    Args:
        waveform_32k: [B, T]

    Returns:
        [B, F=1025, T_frames]; 50 frames a second.
    """
    return magnitudes(waveform_32k, N_FFT, HOP_SAMPLES)


def magnitudes(waveform: Tensor, n_fft: int, hop_samples: int) -> Tensor:
    """Return the magnitudes of Hann-windowed frames; the ends are reflected, so T > n_fft / 2.

    Args:
        waveform: [B, T]
        n_fft: Length of a frame.
        hop_samples: Distance of two frames.

    Returns:
        [B, F=n_fft/2+1, T_frames=T/hop_samples]
    """
    edge = (n_fft - hop_samples) // 2
    assert waveform.ndim == 2
    assert waveform.shape[1] > edge, "shorter than the reflected edge"
    frames = torch.stft(
        functional.pad(waveform[:, None], (edge, edge), mode="reflect")[:, 0],
        n_fft,
        hop_samples,
        window=torch.hann_window(n_fft, dtype=waveform.dtype, device=waveform.device),
        center=False,
        return_complex=True,
    )
    return torch.sqrt(frames.real.square() + frames.imag.square() + _POWER_FLOOR)
