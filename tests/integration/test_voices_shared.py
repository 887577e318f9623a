"""Voices in a bucket, changed by several machines at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import pytest
from kept_voices import keep

from pipeline import names
from pipeline.errors import BusyError, RequestError
from pipeline.manifest.voice import Origin, Voice
from pipeline.settings import Settings
from pipeline.store.s3 import S3Store
from pipeline.voices import prompts, registry, turn

ORIGIN = Origin(start_s=1.0, end_s=6.0, snr_db=40.0, quality=None, heard="The lamp was lit.")
#: A dead holder's turn ends after so long, here.
SHORT_S = 1.0

Make = Callable[..., Voice]


@pytest.fixture
def make(s3: S3Store) -> Make:
    """Save a voice of that name."""
    return partial(keep, s3)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "TURN_S", SHORT_S)
    monkeypatch.setattr(turn, "PATIENCE_S", 4 * SHORT_S)


def test_the_settings_say_where_shared_voices_are(s3: S3Store, s3_server: Settings) -> None:
    shared = s3_server.model_copy(update={"voices_url": f"s3://{s3.bucket}/shared"})
    assert registry.open_store(shared).place("voices") == f"s3://{s3.bucket}/shared/voices"


def test_a_voice_of_a_bucket_is_found_renamed_heard_and_removed(make: Make, s3: S3Store) -> None:
    ann = make("Ann")
    assert registry.find("ANN", s3) == registry.find(str(ann.uuid), s3) == ann
    assert registry.clip(ann, s3).duration_s == 1.0
    registry.rename("Ann", "Anna", s3)
    assert [voice.name for voice in registry.all_voices(s3)] == ["Anna"]
    registry.remove("anna", s3)
    assert registry.all_voices(s3) == []
    assert list(s3.names(names.VOICES)) == []


def test_a_prompt_is_computed_once_for_all_machines(make: Make, s3: S3Store) -> None:
    ann = make("Ann")
    assert prompts.load_prompt(ann, "model", s3) is None
    prompts.store_prompt(ann, "model", b"first", s3)
    prompts.store_prompt(ann, "model", b"second", s3)
    assert prompts.load_prompt(ann, "model", s3) == b"first"
    assert prompts.load_prompt(ann, "another model", s3) is None
    registry.remove("Ann", s3)
    with pytest.raises(RequestError, match="removed"):
        prompts.store_prompt(ann, "model", b"late", s3)


def test_of_many_who_want_a_name_at_once_one_gets_it(make: Make, s3: S3Store) -> None:
    def tried(seed: int) -> bool:
        try:
            make("Ann", seed)
        except RequestError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(tried, range(8))).count(True) == 1
    assert len(registry.all_voices(s3)) == 1


def test_turns_never_overlap(s3: S3Store) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def use(_: int) -> None:
        nonlocal inside, most
        with turn.taken(s3):
            with lock:
                inside, most = inside + 1, max(most, inside + 1)
            time.sleep(0.05)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(16)))
    assert most == 1
    assert len(list(s3.names(names.VOICES_TURN))) <= 4  # of the last turns


def test_what_a_killed_process_left_goes_with_the_next_change(make: Make, s3: S3Store) -> None:
    s3.put(names.voice_clip(UUID(int=1)), b"audio without a record")
    ann = make("Ann")
    assert all(name.startswith(names.voice(ann.uuid)) for name in s3.names(names.VOICES))


@pytest.mark.usefixtures("impatient")
def test_the_turn_of_a_dead_process_is_taken_over(make: Make, s3: S3Store) -> None:
    assert s3.put_new(names.voices_turn(1), b"a process that was killed")
    started_s = time.monotonic()
    make("Ann")
    assert SHORT_S < time.monotonic() - started_s < 4 * SHORT_S
    assert not s3.exists(names.voices_turn(1))


@pytest.mark.usefixtures("impatient")
def test_a_turn_that_took_too_long_changes_nothing_any_more(
    make: Make, s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, put = threading.Event(), S3Store.put

    def frozen(store: S3Store, name: str, data: bytes) -> None:
        put(store, name, data)
        if threading.current_thread() is not threading.main_thread():
            slow.wait(20)

    monkeypatch.setattr(S3Store, "put", frozen)
    with ThreadPoolExecutor(1) as pool:
        left_behind = pool.submit(make, "Ann")
        time.sleep(0.5)
        bea = make("Bea", seed=1)
        slow.set()
        with pytest.raises(BusyError, match="took too long"):
            left_behind.result()
    assert registry.all_voices(s3) == [bea]
    assert registry.clip(bea, s3).duration_s == 1.0


@pytest.mark.usefixtures("impatient")
def test_who_waits_too_long_is_told(s3: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "TURN_S", 60.0)
    with turn.taken(s3), pytest.raises(BusyError, match=names.VOICES_TURN), turn.taken(s3):
        pass
    with turn.taken(s3):  # the first has ended
        pass


def test_a_failed_change_gives_the_turn_back(make: Make, s3: S3Store) -> None:
    make("Ann")
    with pytest.raises(RequestError):
        make("ann", seed=1)
    started_s = time.monotonic()
    make("Bea", seed=2)
    assert time.monotonic() - started_s < turn.TURN_S / 2
