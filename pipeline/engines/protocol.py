"""What an engine promises the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.audio.clip import Clip
from pipeline.errors import EngineError
from pipeline.manifest.plan import Reading


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the pipeline must know of an engine before it plans."""

    #: BCP 47 primary tags.
    languages: frozenset[str]
    #: Whether it speaks in voices made from reference audio.
    clones: bool
    sample_rate_hz: int
    #: Longest text of one chunk, in characters; a CJK letter counts as three.
    max_chars: int
    #: How many chunks it likes to get at once.
    preferred_batch: int
    #: How many processor threads one process makes good use of.
    threads: int = 1
    #: Whether its audio says the words; False for dry runs.
    speaks: bool = True


@dataclass(frozen=True, slots=True)
class Utterance:
    """One chunk as the engine gets it."""

    text: str
    language: str
    voice: str
    seed: int
    readings: tuple[Reading, ...] = ()
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A voice an engine has, or could have."""

    name: str
    #: BCP 47: "en-US".
    language: str
    #: For people: "American, female".
    description: str
    is_installed: bool
    #: The command that gets its files; empty when they are here.
    remedy: str = ""


class Engine(Protocol):
    """Text → audio. One clip or one error per utterance, never one for all.

    The sound of an utterance depends on nothing but the utterance and the fingerprint: not on
    its batch-mates, nor on what was spoken before.
    """

    name: str
    default_voice: str
    capabilities: Capabilities

    def fingerprint(self) -> str:
        """Return what identifies the engine's code and models, for keys."""
        ...

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the engine's voices, those that lack files too."""
        ...

    def voice_revision(self, voice: str) -> str:
        """Return what identifies the voice's sound, for keys.

        Raises:
            RequestError: There is no such voice, or its files are missing; says the remedy.
        """
        ...

    def origin(self, voice: str) -> str:
        """Return where a voice comes from, for the metadata of what it speaks.

        Raises:
            RequestError: There is no such voice.
        """
        ...

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        """Return what of the text would be dropped or garbled, in order, for people to find."""
        ...

    def require(self, speed: float, readings: Iterable[Reading]) -> None:
        """Refuse, before anything is spoken, what every utterance would be refused for.

        Args:
            speed: Of the whole render.
            readings: The lexicon's, wherever they apply.

        Raises:
            RequestError: The speed is out of reach, or phonemes are not of the engine's alphabet.
        """
        ...

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        """Speak every utterance; yield its place in the batch and its clip, in any order.

        Each as soon as it is done: what was given is kept, whatever becomes of the rest.
        """
        ...

    def stream(self, utterance: Utterance) -> Iterator[Clip]:
        """Speak one utterance piece by piece, each given as soon as it can be.

        For listening while it is made; it may differ a little from what `synthesize` gives.

        Raises:
            EngineError: It cannot be spoken; what was given until then is not to be used.
        """
        ...
