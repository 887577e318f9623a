from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pipeline import names
from pipeline.errors import RequestError
from pipeline.manifest.voice import Voice
from pipeline.store.local import LocalStore
from pipeline.voices import prompts, registry

Make = Callable[..., Voice]


def test_a_prompt_comes_back_for_its_model_and_revision_only(make: Make, store: LocalStore) -> None:
    voice = make()
    assert prompts.load_prompt(voice, "model", store) is None
    prompts.store_prompt(voice, "model", b"tensors", store)
    assert prompts.load_prompt(voice, "model", store) == b"tensors"
    assert prompts.load_prompt(voice, "another model", store) is None
    changed = voice.model_copy(update={"text": "Other words."})
    assert prompts.load_prompt(changed, "model", store) is None
    renamed = registry.rename("Ann", "Anna", store)
    assert prompts.load_prompt(renamed, "model", store) == b"tensors"


def test_prompts_of_several_models_live_side_by_side(make: Make, store: LocalStore) -> None:
    voice = make()
    for model in ("gpt-sovits v2 fp32/cpu", "gpt-sovits v2Pro", "../../etc/passwd"):
        prompts.store_prompt(voice, model, model.encode(), store)
    for model in ("gpt-sovits v2 fp32/cpu", "gpt-sovits v2Pro", "../../etc/passwd"):
        assert prompts.load_prompt(voice, model, store) == model.encode()
    assert all(n.endswith(".safetensors") for n in store.names(names.voice_prompts(voice.uuid)))


def test_the_first_prompt_stays(make: Make, store: LocalStore) -> None:
    voice = make()
    prompts.store_prompt(voice, "model", b"first", store)
    prompts.store_prompt(voice, "model", b"second", store)
    assert prompts.load_prompt(voice, "model", store) == b"first"


@pytest.mark.parametrize("damage", [b"", b"tensorz", b"tensors and more"])
def test_a_damaged_prompt_is_computed_again(make: Make, store: LocalStore, damage: bytes) -> None:
    voice = make()
    prompts.store_prompt(voice, "model", b"tensors", store)
    (name,) = store.names(names.voice_prompts(voice.uuid))
    store.path(name).write_bytes(damage)
    assert prompts.load_prompt(voice, "model", store) is None
    prompts.store_prompt(voice, "model", b"tensors", store)
    assert prompts.load_prompt(voice, "model", store) == b"tensors"


def test_nothing_is_kept_of_a_voice_that_was_removed_meanwhile(
    make: Make, store: LocalStore
) -> None:
    voice = make()
    registry.remove("Ann", store)
    with pytest.raises(RequestError, match="removed"):
        prompts.store_prompt(voice, "model", b"tensors", store)
    assert not store.path(names.voice(voice.uuid)).exists()


def test_many_workers_that_store_at_once_agree_on_one(make: Make, store: LocalStore) -> None:
    voice = make()
    threads = [
        threading.Thread(target=prompts.store_prompt, args=(voice, "model", bytes([i]), store))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.names(names.voice_prompts(voice.uuid)))) == 1
    assert prompts.load_prompt(voice, "model", store) in [bytes([i]) for i in range(8)]
