"""An engine that speaks nothing: for load tests and for trying out pipelines.

Its audio is as long as speech would be, a quiet hum that differs from chunk to chunk, so that
stitching, mastering and delivery have something real to do. Nobody can take it for narration: it
says so wherever a voice is named, and no chunk of it passes the check.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from pipeline.audio.clip import Clip, Samples
from pipeline.engines.protocol import Capabilities, Utterance, VoiceInfo
from pipeline.errors import EngineError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.planning.duration import estimate_s
from pipeline.settings import Settings

SAMPLE_RATE_HZ = 24_000
VERSION = 1
#: The hum's level, and the quiet at both ends, as of a spoken take.
LEVEL = 0.06
EDGE_S = 0.1
SHORTEST_S = 0.3
#: Between the pitches that are mixed.
LOWEST_HZ, N_PITCHES = 80, 450
#: One cycle of two parabolas, near to a sine, as long as a second.
_PLACES = np.arange(SAMPLE_RATE_HZ, dtype=np.int32)
_HALF = _PLACES / (SAMPLE_RATE_HZ / 2) % 1
_SIGN = np.where(_PLACES < SAMPLE_RATE_HZ / 2, 4, -4)
_CYCLE = (_SIGN * _HALF * (1 - _HALF)).astype(np.float32)
LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "yue", "zh"})


class SilentEngine:
    """Hums.

    Args:
        settings: Of this machine; none matters.
        options: `cost_s`, the seconds that each chunk takes, and `rtf`, the seconds that each
            second of its audio takes: as if it were work.

    Raises:
        RequestError: An option is not known, or is no number from 0 upwards.
    """

    name = "silent"
    default_voice = "nobody"
    capabilities = Capabilities(
        languages=LANGUAGES,
        clones=False,
        sample_rate_hz=SAMPLE_RATE_HZ,
        max_chars=250,
        preferred_batch=16,
        speaks=False,
    )

    def __init__(self, settings: Settings, options: Mapping[str, str] | None = None) -> None:
        del settings
        chosen = dict(options or {})
        self._cost_s = _taken("cost_s", chosen)
        self._rtf = _taken("rtf", chosen)
        if chosen:
            raise RequestError(f"silent has no parameter {', '.join(chosen)!r}: cost_s and rtf.")

    def fingerprint(self) -> str:
        """Return what identifies the hum."""
        return f"silent {VERSION}, nothing is spoken"

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
        return f"{self.name}/{voice} (nothing is spoken: a hum for dry runs)"

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        """Return nothing: a hum leaves out no word more than another."""
        del text, language
        return ()

    def require(self, speed: float, readings: Iterable[Reading]) -> None:
        """Refuse nothing."""

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        """Hum for as long as each utterance would take, one after the other."""
        for index, utterance in enumerate(batch):
            clip = hum(utterance)
            if work_s := self._cost_s + self._rtf * clip.duration_s:
                time.sleep(work_s)
            yield index, clip

    def stream(self, utterance: Utterance) -> Iterator[Clip]:
        """Hum in one piece."""
        yield hum(utterance)


def hum(utterance: Utterance) -> Clip:
    """Return a hum as long as the text would take; every seed has its own.

    Each second of it is the same, and made without libraries that round otherwise elsewhere: quick
    to make, small when stored, and the same samples on every machine.
    """
    seconds = max(SHORTEST_S, estimate_s(utterance.text, utterance.language) / utterance.speed)
    rest, low = divmod(utterance.seed, N_PITCHES)
    shift, high = divmod(rest, N_PITCHES)
    mixed = _wave(LOWEST_HZ + low) + _wave(LOWEST_HZ + high) / 2 + _wave(1, shift) / 4
    second = (LEVEL * mixed).astype(np.float32)
    samples = np.resize(second, int(seconds * SAMPLE_RATE_HZ))
    n_edge = int(EDGE_S * SAMPLE_RATE_HZ)
    samples[:n_edge] = samples[-n_edge:] = 0.0
    return Clip(samples, SAMPLE_RATE_HZ)


def _wave(pitch_hz: int, shift: int = 0) -> Samples:
    """Return a second of a wave from -1 to 1, [T]."""
    return _CYCLE[(_PLACES * pitch_hz + shift) % SAMPLE_RATE_HZ]


def _taken(name: str, options: dict[str, str]) -> float:
    """Return an option as a number and take it out; 0 where it is not given."""
    text = options.pop(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise RequestError(f"silent: {name} is {text!r}, not a number from 0 upwards.")
    return value
