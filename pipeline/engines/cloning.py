"""Cloned voices: the registry's voices, spoken by our GPT-SoVITS."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path

import torch

from pipeline import names
from pipeline.audio.clip import Clip
from pipeline.engines.cloned_voices import ClonedVoices
from pipeline.engines.gpt_sovits.device import Placement, place
from pipeline.engines.gpt_sovits.models import Encoders, ModelFiles, load_fine_tune
from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.script import Reading as SpokenReading
from pipeline.engines.gpt_sovits.synthesizer import SAMPLE_RATE_HZ, SpeechRequest, Synthesizer
from pipeline.engines.gpt_sovits.text import spelling
from pipeline.engines.gpt_sovits.text.chinese.g2pw import G2PW
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.engines.protocol import Capabilities, Utterance, VoiceInfo
from pipeline.errors import EngineError, RequestError
from pipeline.models import digests, gpt_sovits
from pipeline.settings import Settings
from pipeline.voices import registry

#: Raised when the same models give other sound.
ENGINE_VERSION = 1

#: Options that choose the model; all others are parameters of its speech.
MODEL_OPTIONS = ("version", "s1", "s2")
DEFAULT_VERSION = "v2"

#: Languages of the symbol tables.
LANGUAGES: dict[SymbolVersion, frozenset[str]] = {
    "v1": frozenset({"zh", "en", "ja"}),
    "v2": frozenset({"zh", "en", "ja", "ko", "yue"}),
}
#: A process makes good use of so many cores.
MAX_THREADS = 4
#: Chunks decoded side by side.
CPU_SLOTS, CUDA_SLOTS = 16, 128

#: Packages that decide how a text is read.
READERS = ("jieba", "pypinyin", "g2p-en", "pyopenjtalk-plus", "ToJyutping", "g2pk2")
#: Files of a model folder that hold weights.
WEIGHTS = frozenset({".bin", ".safetensors", ".onnx"})


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
        options = options or {}
        self._settings = settings
        self._model = {name: options[name] for name in MODEL_OPTIONS if name in options}
        self._parameters = _parameters(
            {name: value for name, value in options.items() if name not in MODEL_OPTIONS}
        )
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
            languages=LANGUAGES[self._symbols],
            clones=True,
            sample_rate_hz=SAMPLE_RATE_HZ,
            max_chars=300,
            preferred_batch=self._n_slots,
            threads=self._n_threads,
        )

    def fingerprint(self) -> str:
        """Return what identifies code, models, parameters and rounding."""
        return f"{self.name} {names.digest(self._identity)[:32]}"

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
        """Return what identifies the voice's reference audio and text."""
        return self._voices.get(voice).revision

    def origin(self, voice: str) -> str:
        """Return the voice's UUID and its consent's."""
        found = self._voices.get(voice)
        return f"{self.name}/{found.name} ({found.uuid}, consent {found.consent.id})"

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        """Return the characters that the model has no sound for."""
        found = FrontEnd(self._symbols).unspeakable(text, language)
        return tuple(dict.fromkeys(character for _, character in found))

    def synthesize(self, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
        """Speak all utterances side by side."""
        spoken: dict[int, Clip | EngineError] = {}
        requests: dict[int, SpeechRequest] = {}
        for index, utterance in enumerate(batch):
            try:
                requests[index] = self._request(utterance)
            except EngineError as error:
                spoken[index] = error
        waveforms = self._synthesizer.speak(list(requests.values()))
        for index, waveform in zip(requests, waveforms, strict=True):
            spoken[index] = (
                waveform if isinstance(waveform, EngineError) else Clip(waveform, SAMPLE_RATE_HZ)
            )
        return [spoken[index] for index in range(len(batch))]

    def _request(self, utterance: Utterance) -> SpeechRequest:
        voice = self._voices.get(utterance.voice)
        text, readings = self._read(utterance)
        return SpeechRequest(
            text=text,
            language=utterance.language,
            prompt=self._voices.prompt(
                voice, voice.language, self._prompt_fingerprint, self._synthesizer
            ),
            seed=utterance.seed,
            parameters=replace(self._parameters, speed=self._parameters.speed * utterance.speed),
            readings=readings,
        )

    def _read(self, utterance: Utterance) -> tuple[str, tuple[SpokenReading, ...]]:
        """Return the text with its respellings in place, and where phonemes are given."""
        text, said, position = "", [], 0
        for reading in sorted(utterance.readings, key=lambda each: each.start):
            text += utterance.text[position : reading.start]
            word = reading.respelling or utterance.text[reading.start : reading.end]
            if reading.phonemes:
                phonemes = spelling.phonemes(reading.phonemes, self._symbols)
                said.append(SpokenReading(len(text), len(text) + len(word), phonemes))
            text, position = text + word, reading.end
        return text + utterance.text[position:], tuple(said)

    @cached_property
    def _synthesizer(self) -> Synthesizer:
        torch.set_num_threads(self._n_threads)
        files, placement = self._files, self._placement
        return Synthesizer(
            load_fine_tune(files.s1, files.s2, placement),
            Encoders(files, placement),
            self._front_end,
            n_slots=self._n_slots,
        )

    @cached_property
    def _front_end(self) -> FrontEnd:
        files = self._files
        g2pw = G2PW.load(files.g2pw, files.bert) if files.g2pw else None
        return FrontEnd(self._symbols, g2pw=g2pw)

    @cached_property
    def _placement(self) -> Placement:
        return place(self._settings.device, self._settings.precision)

    @cached_property
    def _files(self) -> ModelFiles:
        s1, s2 = (Path(self._model[each]) if each in self._model else None for each in ("s1", "s2"))
        found = gpt_sovits.find(self._version, self._settings.gpt_sovits_folder, s1=s1, s2=s2)
        return ModelFiles(
            s1=found.s1,
            s2=found.s2,
            bert=found.bert_dir,
            hubert=found.hubert_dir,
            verification=found.sv,
            g2pw=found.g2pw_dir,
        )

    @property
    def _version(self) -> str:
        return self._model.get("version", DEFAULT_VERSION)

    @property
    def _symbols(self) -> SymbolVersion:
        return "v1" if self._version == "v1" else "v2"

    @property
    def _n_slots(self) -> int:
        return CUDA_SLOTS if self._placement.device.type == "cuda" else CPU_SLOTS

    @property
    def _n_threads(self) -> int:
        n_cores = os.cpu_count() or 1
        return (
            max(1, n_cores // self._settings.jobs)
            if self._settings.jobs
            else min(MAX_THREADS, n_cores)
        )

    @cached_property
    def _identity(self) -> dict[str, object]:
        """Everything but the voice that decides the sound."""
        return {
            **self._heard_by,
            "parameters": asdict(self._parameters),
            "readers": {name: _version_of(name) for name in READERS},
        }

    @cached_property
    def _heard_by(self) -> dict[str, object]:
        """Everything that decides how a voice is heard."""
        files = self._files
        paths = [files.s1, files.s2, *_weights(files.bert), *_weights(files.hubert)]
        paths += [files.verification] if files.verification else []
        paths += _weights(files.g2pw) if files.g2pw else []
        cache = self._settings.models_dir.expanduser()
        return {
            "engine": ENGINE_VERSION,
            "models": [digests.sha256(path, cache) for path in paths],
            "placement": self._placement.label,
        }

    @property
    def _prompt_fingerprint(self) -> str:
        return names.digest(self._heard_by)[:32]


def _parameters(values: Mapping[str, str]) -> Parameters:
    try:
        return Parameters.read(values)
    except RequestError as error:
        raise RequestError(f"gpt-sovits: {error} Besides: {', '.join(MODEL_OPTIONS)}.") from error


def _weights(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in WEIGHTS)


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "none"
