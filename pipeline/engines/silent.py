"""An engine that speaks nothing: for load tests and for trying out pipelines.

Its audio is as long as speech would be, a quiet hum that differs from chunk to chunk, so that
stitching, mastering and delivery have something real to do. Nobody can take it for narration.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Capabilities, Utterance, VoiceInfo
from pipeline.errors import EngineError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.planning.duration import estimate_s
from pipeline.settings import Settings

SAMPLE_RATE_HZ = 24_000
VERSION = 1
#: The hum's level, and the quiet at both ends, as of a spoken take.
LEVEL = 0.1
EDGE_S = 0.1
LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "yue", "zh"})


class SilentEngine:
    """Hums. The option `cost_s` makes each chunk take that many seconds."""

    name = "silent"
    default_voice = "nobody"
    capabilities = Capabilities(
        languages=LANGUAGES,
        clones=False,
        sample_rate_hz=SAMPLE_RATE_HZ,
        max_chars=250,
        preferred_batch=16,
    )

    def __init__(self, settings: Settings, options: Mapping[str, str]) -> None:
        del settings
        unknown = set(options) - {"cost_s"}
        if unknown:
            raise RequestError(f"silent has no parameter {', '.join(unknown)}; it has: cost_s.")
        self._cost_s = float(options.get("cost_s", "0"))

    def fingerprint(self) -> str:
        """Return what identifies the hum."""
        return f"silent {VERSION}"

    def voices(self) -> Sequence[VoiceInfo]:
        """Return its one voice, which is none."""
        return [VoiceInfo(self.default_voice, "any", "hums instead of speaking", is_installed=True)]

    def voice_revision(self, voice: str) -> str:
        """Return the one revision.

        Raises:
            RequestError: It is another voice.
        """
        if voice != self.default_voice:
            raise RequestError(f"silent has no voice {voice!r}, only {self.default_voice!r}.")
        return "1"

    def origin(self, voice: str) -> str:
        """Return what the metadata says."""
        return f"{voice} (nothing is spoken: made by the engine for dry runs)"

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        """Return nothing: a hum leaves out no word more than another."""
        del text, language
        return ()

    def require(self, speed: float, readings: Iterable[Reading]) -> None:
        """Refuse nothing."""

    def synthesize(self, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
        """Hum for as long as each utterance would take."""
        if self._cost_s:
            time.sleep(self._cost_s * len(batch))
        return [hum(utterance) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Clip]:
        """Hum in one piece."""
        yield hum(utterance)


def hum(utterance: Utterance) -> Clip:
    """Return a tone as long as the text would take, its pitch and swell from the seed."""
    seconds = max(0.3, estimate_s(utterance.text, utterance.language) / utterance.speed)
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ), dtype=np.float32) / SAMPLE_RATE_HZ
    pitch_hz = 110 + utterance.seed % 220
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * (1 + utterance.seed % 3) * time_s)
    samples = LEVEL * swell * np.sin(2 * np.pi * pitch_hz * time_s)
    n_edge = int(EDGE_S * SAMPLE_RATE_HZ)
    samples[:n_edge] = samples[-n_edge:] = 0.0
    return Clip(samples.astype(np.float32), SAMPLE_RATE_HZ)
