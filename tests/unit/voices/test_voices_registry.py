from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from pipeline import names
from pipeline.errors import CorruptObjectError, RequestError, StorageError
from pipeline.manifest.voice import Voice
from pipeline.store.local import LocalStore
from pipeline.voices import prompts, registry

Make = Callable[..., Voice]


def test_a_voice_is_found_by_name_in_any_case_and_by_uuid(make: Make, store: LocalStore) -> None:
    ann, li = make("Ann"), make("李明")
    assert registry.find("ANN", store) == ann
    assert registry.find(str(ann.uuid), store) == ann
    assert registry.find(ann.uuid.hex, store) == ann
    assert registry.find("李明", store) == li
    assert registry.all_voices(store) == [ann, li]


def test_an_unknown_voice_names_those_there_are(make: Make, store: LocalStore) -> None:
    with pytest.raises(RequestError, match="voices add"):
        registry.find("Ann", store)
    make("Ann"), make("Bea")
    for unknown in ("Cleo", str(uuid4())):
        with pytest.raises(RequestError, match="There are: Ann, Bea"):
            registry.find(unknown, store)


def test_two_voices_cannot_share_a_name(make: Make, store: LocalStore) -> None:
    make("Ann")
    with pytest.raises(RequestError, match="already"):
        make("aNN", seed=5)
    assert len(registry.all_voices(store)) == 1
    assert len(list((store.root / "voices").iterdir())) == 1


def test_a_new_name_changes_nothing_but_the_name(make: Make, store: LocalStore) -> None:
    ann = make("Ann", n_aux=1)
    renamed = registry.rename("ann", "Anna", store)
    assert renamed == ann.model_copy(update={"name": "Anna"})
    assert renamed.revision == ann.revision
    assert registry.find(str(ann.uuid), store).name == "Anna"
    with pytest.raises(RequestError):
        registry.find("Ann", store)


def test_a_voice_may_be_spelled_otherwise_but_not_take_anothers_name(
    make: Make, store: LocalStore
) -> None:
    make("Ann"), make("Bea")
    assert registry.rename("Ann", "ANN", store).name == "ANN"
    for taken in ("bea", "heart", str(uuid4())):
        with pytest.raises(RequestError):
            registry.rename("Ann", taken, store, reserved=["Heart"])


def test_the_clips_come_back_as_they_were_stored(make: Make, store: LocalStore) -> None:
    voice = make(n_aux=2)
    clip, aux = registry.clip(voice, store), registry.aux_clips(voice, store)
    assert clip.sample_rate_hz == 32_000
    assert clip.duration_s == 1.0
    assert len(aux) == 2
    assert not np.array_equal(aux[0].samples, aux[1].samples)


@pytest.mark.parametrize("name", ["clip.flac", "aux-1.flac"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_damaged_clip_is_never_used(
    make: Make, store: LocalStore, name: str, is_gone: bool
) -> None:
    voice = make(n_aux=1)
    path = store.path(f"{names.voice(voice.uuid)}/{name}")
    if is_gone:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptObjectError, match=name):
        registry.audio_bytes(voice, store)


def test_removal_leaves_nothing_behind(make: Make, store: LocalStore) -> None:
    kept, voice = make("Bea", seed=7), make("Ann", n_aux=2)
    prompts.store_prompt(voice, "model one", b"embedding", store)
    prompts.store_prompt(voice, "model two", b"embedding", store)
    store.path(f"{names.voice(voice.uuid)}/half.part").write_bytes(b"half a clip")
    assert registry.remove("ann", store) == voice.uuid
    left = [path for path in store.root.rglob("*") if str(voice.uuid) in str(path)]
    assert left == []
    assert b"embedding" not in b"".join(
        p.read_bytes() for p in store.root.rglob("*") if p.is_file()
    )
    assert registry.all_voices(store) == [kept]
    assert prompts.load_prompt(voice, "model one", store) is None
    with pytest.raises(RequestError):
        registry.remove("ann", store)


def test_a_record_without_consent_is_refused_and_can_only_be_removed(
    make: Make, store: LocalStore, caplog: pytest.LogCaptureFixture
) -> None:
    other, voice = make("Bea"), make("Ann")
    document = json.loads(voice.encode())
    del document["consent"]
    store.put(names.voice_record(voice.uuid), json.dumps(document).encode())
    with pytest.raises(CorruptObjectError, match=f"consent.*voices remove {voice.uuid}"):
        registry.find(str(voice.uuid), store)
    with caplog.at_level(logging.WARNING):
        assert registry.all_voices(store) == [other]
    assert "consent" in caplog.text
    with pytest.raises(RequestError):
        registry.find("Ann", store)
    registry.remove(str(voice.uuid), store)
    assert not store.path(names.voice(voice.uuid)).exists()


def test_what_a_killed_process_left_is_no_voice_and_goes_with_the_next_change(
    make: Make, store: LocalStore
) -> None:
    orphan = uuid4()
    store.put(names.voice_clip(orphan), b"somebody's voice")
    assert registry.all_voices(store) == []
    with pytest.raises(RequestError):
        registry.find(str(orphan), store)
    voice = make()
    assert not store.path(names.voice(orphan)).exists()
    assert registry.all_voices(store) == [voice]


def test_files_are_the_users_own(make: Make, store: LocalStore) -> None:
    voice = make(n_aux=1)
    for path in store.path(names.voice(voice.uuid)).iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_store_that_cannot_be_written_says_where_to_put_it(tmp_path: Path) -> None:
    from pipeline.settings import Settings

    (tmp_path / "file").write_bytes(b"")
    store = registry.open_store(Settings(voices_dir=tmp_path / "file" / "voices"))
    with pytest.raises(StorageError, match="file"):
        registry.remove("Ann", store)
