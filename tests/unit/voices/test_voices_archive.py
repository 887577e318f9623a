from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError, RequestError, StorageError
from pipeline.manifest.voice import Voice
from pipeline.store.local import LocalStore
from pipeline.voices import archive, prompts, registry

Make = Callable[..., Voice]


@pytest.fixture
def other(tmp_path: Path) -> LocalStore:
    """The store of another machine."""
    return LocalStore(tmp_path / "other")


@pytest.fixture
def exported(make: Make, store: LocalStore, tmp_path: Path) -> Path:
    voice = make(n_aux=2)
    prompts.store_prompt(voice, "model", b"tensors", store)
    archive.export(voice, tmp_path / "ann.zip", store)
    return tmp_path / "ann.zip"


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change the files of a zip file."""
    with zipfile.ZipFile(path) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in files.items():
            new.writestr(name, data)
    return path


def test_a_voice_travels_with_its_consent_and_keeps_its_uuid(
    exported: Path, store: LocalStore, other: LocalStore
) -> None:
    mine = registry.find("Ann", store)
    theirs = archive.import_voice(exported, other)
    assert theirs == mine
    assert registry.find(str(mine.uuid), other) == mine
    assert registry.audio_bytes(mine, other) == registry.audio_bytes(mine, store)


def test_what_engines_computed_stays_at_home(exported: Path) -> None:
    with zipfile.ZipFile(exported) as files:
        assert files.namelist() == ["voice.json", "clip.flac", "aux-1.flac", "aux-2.flac"]
    assert b"tensors" not in exported.read_bytes()


def test_the_same_voice_gives_the_same_file(
    exported: Path, store: LocalStore, tmp_path: Path
) -> None:
    archive.export(registry.find("Ann", store), tmp_path / "again.zip", store)
    assert (tmp_path / "again.zip").read_bytes() == exported.read_bytes()


def test_a_voice_that_is_here_already_stays_as_it_is(exported: Path, store: LocalStore) -> None:
    registry.rename("Ann", "Anna", store)
    before = registry.find("Anna", store)
    assert archive.import_voice(exported, store) == before
    assert registry.all_voices(store) == [before]


def test_another_voice_with_the_same_uuid_is_a_conflict(exported: Path, store: LocalStore) -> None:
    def otherwise(files: dict[str, bytes]) -> None:
        files["voice.json"] = files["voice.json"].replace(b"The lamp was lit.", b"The lamp is lit.")

    before = registry.find("Ann", store)
    with pytest.raises(RequestError, match=str(before.uuid)):
        archive.import_voice(rewritten(exported, otherwise), store)
    assert registry.find("Ann", store) == before


def test_a_name_that_is_taken_can_be_changed_on_the_way_in(
    exported: Path, store: LocalStore, other: LocalStore
) -> None:
    with pytest.raises(RequestError, match="already"):
        archive.import_voice(exported, other, reserved=frozenset({"ann"}))
    assert registry.all_voices(other) == []
    voice = archive.import_voice(exported, other, name="Bea", reserved=frozenset({"ann"}))
    assert voice.name == "Bea"
    assert voice.uuid == registry.find("Ann", store).uuid


def drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.pop(name) and None


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: data})


def without_consent(files: dict[str, bytes]) -> None:
    document = json.loads(files["voice.json"])
    del document["consent"]
    files["voice.json"] = json.dumps(document).encode()


def with_empty_consent(files: dict[str, bytes]) -> None:
    document = json.loads(files["voice.json"])
    document["consent"]["statement"] = " "
    files["voice.json"] = json.dumps(document).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_consent, "consent"),
        (with_empty_consent, "consent"),
        (drop("voice.json"), "voice.json is missing"),
        (drop("clip.flac"), "other files"),
        (drop("aux-2.flac"), "other files"),
        (put("aux-1.flac", b"fLaC and nothing"), "checksum"),
        (put("clip.flac", b""), "checksum"),
        (put("../../escaped", b"x"), "other files"),
        (put("/etc/escaped", b"x"), "other files"),
        (put("..\\escaped", b"x"), "other files"),
        (put("prompts/x.safetensors", b"x"), "other files"),
        (put("voice.json", b"[]"), "record"),
        (put("voice.json", b"\xff\xfe"), "record"),
        (put("voice.json", b" " * (17 << 20)), "larger"),
    ],
)
def test_a_file_that_is_not_an_exported_voice_is_refused_and_leaves_nothing(
    exported: Path,
    other: LocalStore,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    words: str,
) -> None:
    before = set(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=words) as refusal:
        archive.import_voice(rewritten(exported, change), other)
    assert refusal.value.path == str(exported)
    assert set(tmp_path.rglob("*")) == before


def test_two_entries_of_one_name_are_refused(exported: Path, other: LocalStore) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(exported, "a") as files:
        files.writestr("clip.flac", b"another one")
    with pytest.raises(InputError, match="other files"):
        archive.import_voice(exported, other)


def test_sound_bytes_that_are_no_audio_are_refused(exported: Path, other: LocalStore) -> None:
    import hashlib

    def fake(files: dict[str, bytes]) -> None:
        old = hashlib.sha256(files["clip.flac"]).hexdigest()
        new = hashlib.sha256(b"not audio").hexdigest()
        files["clip.flac"] = b"not audio"
        files["voice.json"] = files["voice.json"].replace(old.encode(), new.encode())

    with pytest.raises(InputError, match="cannot be decoded"):
        archive.import_voice(rewritten(exported, fake), other)


@pytest.mark.parametrize("size", [0, 100, -30])
def test_a_cut_zip_file_is_named(exported: Path, other: LocalStore, size: int) -> None:
    exported.write_bytes(exported.read_bytes()[:size])
    with pytest.raises(InputError, match=r"ann\.zip"):
        archive.import_voice(exported, other)


def test_a_missing_file_is_named(other: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.zip"):
        archive.import_voice(tmp_path / "nowhere.zip", other)


def test_an_export_into_no_folder_is_an_error(
    make: Make, store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        archive.export(make(), tmp_path / "nowhere" / "ann.zip", store)
