"""The whole engine on small random networks, written to disk and read as upstream's files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import golden
import models as golden_models
import numpy as np

from pipeline.engines.gpt_sovits.device import place
from pipeline.engines.gpt_sovits.models import Encoders, FineTune, ModelFiles, load_fine_tune
from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.synthesizer import SpeechRequest, Synthesizer, Waveform
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.voice_prompt import VoicePrompt

CASE = Path(golden.__file__).parent / "golden" / "e2e" / "e2e_v2.json"
#: What the reference audio would say.
REFERENCE = "今天天气很好。"


def case() -> dict[str, Any]:
    """Return the sizes and seeds of the networks."""
    document: dict[str, Any] = golden.document(CASE)
    return document


class TinyEngine:
    """An engine, and a voice to speak with."""

    def __init__(self, folder: Path, *, changed: Mapping[str, Any] | None = None) -> None:
        """Write the models below the folder and load them.

        Args:
            folder: Becomes `pretrained_models`.
            changed: Parts of the case that are to be otherwise.
        """
        paths = golden_models.build_models(case() | dict(changed or {}), folder)
        self.placement = place("cpu", "fp32")
        self.files = ModelFiles(paths.s1, paths.s2, paths.bert, paths.hubert, paths.verification)
        self.fine_tune: FineTune = load_fine_tune(paths.s1, paths.s2, self.placement)
        self.encoders = Encoders(self.files, self.placement)
        self.front_end = FrontEnd("v2")
        self.synthesizer = Synthesizer(self.fine_tune, self.encoders, self.front_end)
        self.prompt = self.synthesizer.make_prompt([clip()], REFERENCE, "zh")
        #: The same voice without its text.
        self.timbre = self.synthesizer.make_prompt([clip()], "", "zh")

    def request(
        self, text: str, language: str = "zh", *, prompt: VoicePrompt | None = None, seed: int = 1,
        readings: tuple[Any, ...] = (), **parameters: Any,
    ) -> SpeechRequest:  # fmt: skip
        return SpeechRequest(
            text=text,
            language=language,
            prompt=prompt or self.prompt,
            seed=seed,
            parameters=Parameters(**parameters),
            readings=readings,
        )

    def speak(self, *requests: SpeechRequest) -> list[Any]:
        """Return what becomes of each request, in order."""
        spoken = dict(self.synthesizer.speak(requests))
        return [spoken[index] for index in range(len(requests))]

    def say(self, text: str, language: str = "zh", **options: Any) -> Waveform:
        """Return the waveform of one text, which must not fail."""
        (spoken,) = self.speak(self.request(text, language, **options))
        assert isinstance(spoken, np.ndarray), spoken
        return spoken


def clip(
    pitch_hz: float = 180.0, seconds: float = 4.0, rate_hz: int = 32_000
) -> tuple[Waveform, int]:
    """Return something like a held vowel, louder and softer, with its sample rate."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    partials = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 8))
    return (0.1 * partials * (1.2 + np.sin(5 * t))).astype(np.float32), rate_hz
