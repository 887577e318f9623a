"""Hibari: a small English engine whose default voice lies inside its package.

Fast (about 130 × real time on one core), no cloning. Its own front end reads numbers, dates and
money, so the text is passed on as written.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.voices import DEFAULT, VOICES, voice_path

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Capabilities, Utterance, VoiceInfo
from pipeline.errors import EngineError, ModelError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.models import g2p, resolve
from pipeline.settings import Settings

#: Beginnings of the Unicode names of letters the front end reads; of Chinese it says nothing at
#: all, and of Greek or Cyrillic single odd sounds.
READABLE = ("LATIN", "FEMININE ORDINAL", "MASCULINE ORDINAL", "MICRO")


class HibariEngine:
    """Speaks English with one ONNX model a voice, each loaded when it is first needed."""

    name = "hibari"
    default_voice = DEFAULT
    capabilities = Capabilities(
        languages=frozenset({"en"}),
        clones=False,
        sample_rate_hz=SAMPLE_RATE,
        max_chars=300,
        preferred_batch=1,
    )

    def __init__(self, settings: Settings, options: Mapping[str, str] | None = None) -> None:
        if options:
            raise RequestError(
                f"hibari has no parameter {next(iter(options))!r}; leave --param out, or choose "
                "another --engine."
            )
        self._settings = settings
        self._loaded: dict[str, Hibari] = {}

    def fingerprint(self) -> str:
        """Return the package's version and its FFT, which decides the last bit of each sample."""
        return f"hibari {metadata.version('hibari-tts')} {dsp.FFT_BACKEND}"

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the voices, the default one first."""
        return [self._described(name) for name in VOICES]

    def voice_revision(self, voice: str) -> str:
        """Return the SHA-256 of the voice's model, as pinned by the package."""
        if voice not in VOICES:
            known = ", ".join(VOICES)
            raise RequestError(f"hibari has no voice {voice!r}. Choose one of: {known}.")
        if not self._file(voice):
            raise RequestError(
                f"The voice {voice!r} is not on this machine. Get it with: {_pull(voice)}"
            )
        return str(VOICES[voice]["sha256"])

    def origin(self, voice: str) -> str:
        """Return the engine and the voice."""
        return f"hibari/{voice}"

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:  # noqa: ARG002
        """Return the words with letters that the front end drops or reads as noise."""
        return tuple(
            word for word in text.split() if any(c.isalpha() and not _is_readable(c) for c in word)
        )

    def require(self, speed: float, readings: Iterable[Reading]) -> None:
        """Refuse nothing: its front end takes any phonemes, and its speeds are the render's."""

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        """Speak one utterance after the other."""
        return enumerate(map(self._speak, batch))

    def stream(self, utterance: Utterance) -> Iterator[Clip]:
        """Give the whole at once: it takes a hundredth of its length."""
        spoken = self._speak(utterance)
        if isinstance(spoken, EngineError):
            raise spoken
        yield spoken

    def _speak(self, utterance: Utterance) -> Clip | EngineError:
        if not any(map(str.isalnum, utterance.text)):
            return EngineError(f"There is no word in {utterance.text!r}.")
        model = self._model(utterance.voice)
        try:
            samples = model(marked_up(utterance), speed=utterance.speed, seed=utterance.seed)
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            return EngineError(f"hibari failed on {utterance.text!r}: {error}.")
        return Clip(np.asarray(samples, np.float32), SAMPLE_RATE)

    def _model(self, voice: str) -> Hibari:
        if voice not in self._loaded:
            self.voice_revision(voice)
            # Voices of one accent share their front end, with the aligner and the checker too.
            front_end = None if VOICES[voice]["british"] else g2p.english()
            self._loaded[voice] = Hibari(
                voice, model=str(self._file(voice)), threads=1, g2p=front_end
            )
        return self._loaded[voice]

    def _described(self, voice: str) -> VoiceInfo:
        facts = VOICES[voice]
        try:
            is_installed = self._file(voice) is not None
        except ModelError:  # damaged; pulling it again repairs it
            is_installed = False
        return VoiceInfo(
            name=voice,
            language=facts["language"],
            description=f"{facts['accent']}, {facts['gender']}",
            is_installed=is_installed,
            remedy="" if is_installed else _pull(voice),
        )

    def _file(self, voice: str) -> Path | None:
        if VOICES[voice].get("bundled"):
            return Path(voice_path(voice))
        folder = resolve.find(f"hibari-{voice}", self._settings)
        return folder / VOICES[voice]["file"] if folder else None


def _pull(voice: str) -> str:
    return f"voxmill models pull hibari-{voice}"


def marked_up(utterance: Utterance) -> str:
    """Return the text with its readings in hibari's own notation: `[word](/phonemes/)`."""
    text = utterance.text
    for reading in sorted(utterance.readings, key=lambda r: r.start, reverse=True):
        text = text[: reading.start] + _spoken(text, reading) + text[reading.end :]
    return text


def _spoken(text: str, reading: Reading) -> str:
    if reading.phonemes:
        return f"[{text[reading.start : reading.end]}](/{reading.phonemes}/)"
    return reading.respelling or ""


def _is_readable(letter: str) -> bool:
    name = unicodedata.name(letter, "")
    return letter.isascii() or name.startswith(READABLE)
