"""Cloned voices: the registry's voices, spoken by our GPT-SoVITS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from pipeline import names
from pipeline.audio.clip import Clip
from pipeline.engines.cloned_voices import ClonedVoices
from pipeline.engines.cloning_models import MODEL_OPTIONS, CloningModels
from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.script import Reading as SpokenReading
from pipeline.engines.gpt_sovits.sound import SAMPLE_RATE_HZ, Waveform
from pipeline.engines.gpt_sovits.synthesizer import SpeechRequest, Synthesizer
from pipeline.engines.gpt_sovits.text import spelling
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.engines.protocol import Capabilities, Utterance, VoiceInfo
from pipeline.errors import EngineError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.manifest.voice import Voice
from pipeline.settings import Settings
from pipeline.voices import registry

#: Languages of the symbol tables.
LANGUAGES: dict[SymbolVersion, frozenset[str]] = {
    "v1": frozenset({"zh", "en", "ja"}),
    "v2": frozenset({"zh", "en", "ja", "ko", "yue"}),
}


class CloningEngine:
    """Speaks in the voices of the registry.

    Args:
        settings: Of this machine: where models and voices are, device and precision.
        options: `version`, `s1` and `s2` choose the model; the others are parameters of its
            speech, such as `top_k`.

    Raises:
        RequestError: An option is not known or out of bounds.
    """

    name = "gpt-sovits"

    def __init__(self, settings: Settings, options: Mapping[str, str] | None = None) -> None:
        chosen = dict(options or {})
        model = {name: chosen.pop(name) for name in MODEL_OPTIONS if name in chosen}
        self._models = CloningModels(settings, model)
        self._parameters = _parameters(chosen)
        self._voices = ClonedVoices(registry.open_store(settings))

    @property
    def default_voice(self) -> str:
        """The only voice there is; empty when there are several or none."""
        known = self._voices.names()
        return known[0] if len(known) == 1 else ""

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        return Capabilities(
            languages=LANGUAGES[self._models.symbols],
            clones=True,
            sample_rate_hz=SAMPLE_RATE_HZ,
            max_chars=300,
            preferred_batch=self._models.n_slots,
            threads=self._models.n_threads,
        )

    def fingerprint(self) -> str:
        """Return what identifies code, models, parameters and rounding."""
        identity = {**self._models.identity(), "parameters": asdict(self._parameters)}
        return f"{self.name} {names.digest(identity)[:32]}"

    def voices(self) -> Sequence[VoiceInfo]:
        """Return the voices of the registry."""
        return [
            VoiceInfo(
                name=voice.name,
                language=voice.language,
                description=f"cloned; {voice.consent.owner}",
                is_installed=True,
            )
            for voice in self._voices.all()
        ]

    def voice_revision(self, voice: str) -> str:
        """Return what identifies the voice's reference audio and text, and its own fine-tune."""
        found = self._voices.get(voice)
        if not (found.s1 or found.s2):
            return found.revision
        return names.digest({**self._models.identity(found), "revision": found.revision})

    def origin(self, voice: str) -> str:
        """Return the voice's UUID and its consent's."""
        found = self._voices.get(voice)
        return f"{self.name}/{found.name} ({found.uuid}, consent {found.consent.id})"

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        """Return the characters that the model has no sound for, and where they are."""
        found = FrontEnd(self._models.symbols).unspeakable(text, language)
        return tuple(f"{character} (character {place + 1})" for place, character in found)

    def require(self, speed: float, readings: Iterable[Reading]) -> None:
        """Refuse a speed out of bounds, and phonemes that are none."""
        self._at_speed(speed)
        for reading in readings:
            if reading.phonemes is not None:
                spelling.phonemes(reading.phonemes, self._models.symbols)

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        """Speak all utterances side by side; those of one fine-tune at a time."""
        for synthesizer, indices in self._by_fine_tune(batch):
            requests: dict[int, SpeechRequest] = {}
            for index in indices:
                try:
                    requests[index] = self._request(batch[index], synthesizer)
                except EngineError as error:
                    yield index, error
            wanted = list(requests)
            for number, spoken in synthesizer.speak(list(requests.values())):
                yield wanted[number], _clip(spoken)

    def stream(self, utterance: Utterance) -> Iterator[Clip]:
        """Speak one utterance piece by piece, the first before the whole is decoded.

        Raises:
            EngineError: It cannot be spoken; what was given until then is not to be used.
        """
        synthesizer = self._models.synthesizer(self._voices.get(utterance.voice))
        for samples in synthesizer.stream(self._request(utterance, synthesizer)):
            yield Clip(samples, SAMPLE_RATE_HZ)

    def _by_fine_tune(self, batch: Sequence[Utterance]) -> Iterator[tuple[Synthesizer, list[int]]]:
        groups = defaultdict(list)
        voices: dict[tuple[str, str], Voice] = {}
        for index, utterance in enumerate(batch):
            voice = self._voices.get(utterance.voice)
            key = (voice.s1 or "", voice.s2 or "")
            groups[key].append(index)
            voices[key] = voice
        for key, indices in groups.items():
            yield self._models.synthesizer(voices[key]), indices

    def _request(self, utterance: Utterance, synthesizer: Synthesizer) -> SpeechRequest:
        voice = self._voices.get(utterance.voice)
        text, readings = self._read(utterance)
        return SpeechRequest(
            text=text,
            language=utterance.language,
            prompt=self._voices.prompt(
                voice, voice.language, self._prompt_fingerprint(voice), synthesizer
            ),
            seed=utterance.seed,
            parameters=self._at_speed(utterance.speed),
            readings=readings,
        )

    def _at_speed(self, speed: float) -> Parameters:
        """Return the parameters for a render's speed."""
        return replace(self._parameters, speed=self._parameters.speed * speed)

    def _read(self, utterance: Utterance) -> tuple[str, tuple[SpokenReading, ...]]:
        """Return the text with its respellings in place, and where phonemes are given."""
        text, said, position = "", [], 0
        for reading in sorted(utterance.readings, key=lambda each: each.start):
            text += utterance.text[position : reading.start]
            word = reading.respelling or utterance.text[reading.start : reading.end]
            if reading.phonemes:
                phonemes = spelling.phonemes(reading.phonemes, self._models.symbols)
                said.append(SpokenReading(len(text), len(text) + len(word), phonemes))
            text, position = text + word, reading.end
        return text + utterance.text[position:], tuple(said)

    def _prompt_fingerprint(self, voice: Voice) -> str:
        return names.digest(self._models.identity(voice))[:32]


def _clip(spoken: Waveform | EngineError) -> Clip | EngineError:
    return spoken if isinstance(spoken, EngineError) else Clip(spoken, SAMPLE_RATE_HZ)


def _parameters(values: Mapping[str, str]) -> Parameters:
    try:
        return Parameters.read(values)
    except RequestError as error:
        raise RequestError(f"gpt-sovits: {error} Besides: {', '.join(MODEL_OPTIONS)}.") from error
