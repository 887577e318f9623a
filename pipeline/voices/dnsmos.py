"""DNSMOS P.835: predicted quality of speech, 1 … 5, without a reference.

Reddy et al., "DNSMOS P.835", ICASSP 2022. The model and the coefficients that map its raw scores
come from Microsoft's package speechmos (MIT), of which only the model file is used.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime

from pipeline.audio.clip import Clip, Samples

RATE_HZ = 16_000
#: Samples the model hears at once: 9.01 s.
WINDOW = 144_160
#: Raw overall score → mean opinion score, highest power first.
OVERALL = (-0.06766283, 1.11546468, 0.04602535)


def load() -> Dnsmos | None:
    """Return the model, None where its package is not installed."""
    spec = find_spec("speechmos")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "dnsmos_models" / "sig_bak_ovr.onnx"
    return Dnsmos(path) if path.is_file() else None


class Dnsmos:
    """The model, loaded once."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )

    def overall(self, clip: Clip) -> float:
        """Return the mean overall score over windows of nine seconds."""
        samples = clip.resampled(RATE_HZ).samples
        if len(samples) < WINDOW:
            samples = np.tile(samples, -(-WINDOW // len(samples)))
        starts = range(0, len(samples) - WINDOW + 1, WINDOW)
        scores = [self._window(samples[start : start + WINDOW]) for start in starts]
        return float(np.mean(scores))

    def _window(self, samples: Samples) -> float:
        (scores,) = self._session.run(None, {"input_1": samples[None, :].astype(np.float32)})
        return float(np.polyval(OVERALL, scores[0][2]))
