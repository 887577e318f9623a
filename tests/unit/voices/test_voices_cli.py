"""`voxmill voices`, as typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from pipeline.audio.clip import Clip
from pipeline.engines import catalogue
from pipeline.engines.protocol import Capabilities, Utterance
from pipeline.errors import CorruptObjectError, EngineError, InputError, LanguageError, RequestError
from pipeline.manifest.voice import Voice
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.voices import registry
from producer.cli import voices

Make = Callable[..., Voice]
CONSENT = "Ann Lee, agreed to audiobooks in her voice"


@pytest.fixture(autouse=True)
def machine(store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a machine whose voices are in `store`."""
    monkeypatch.setenv("VOXMILL_VOICES_DIR", str(store.root))
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(voices.app, list(map(str, arguments)))


def test_list_shows_built_in_and_cloned_voices_with_their_owners(make: Make) -> None:
    voice = make("李明")
    rows = json.loads(run("list", "--json").stdout)
    assert rows[0]["voice"] == "heart"
    assert rows[-1] == {
        "voice": "李明",
        "engine": "gpt-sovits",
        "language": "en",
        "description": "cloned; Ann Lee",
        "installed": True,
        "remedy": "",
        "uuid": str(voice.uuid),
        "owner": "Ann Lee",
        "consent": str(voice.consent.id),
    }
    shown = run("list").stdout.splitlines()[-1]
    assert shown.split() == ["李明", "gpt-sovits", "en", "cloned;", "Ann", "Lee", "ready"]


def test_show_tells_what_was_agreed_to(make: Make) -> None:
    voice = make("Ann", n_aux=2)
    shown = run("show", "ANN").stdout
    for words in (str(voice.uuid), CONSENT, str(voice.consent.id), voice.text, "2 more recordings"):
        assert words in shown
    document = json.loads(run("show", voice.uuid, "--json").stdout)
    assert document.pop("revision") == voice.revision
    assert Voice.model_validate_json(json.dumps(document)) == voice


def test_a_voice_is_renamed_but_not_to_a_built_in_name(make: Make, store: LocalStore) -> None:
    voice = make("Ann")
    assert run("rename", "Ann", "Bea").exit_code == 0
    assert registry.find("Bea", store).uuid == voice.uuid
    assert isinstance(run("rename", "Bea", "Heart").exception, RequestError)


def test_removal_asks_first(make: Make, store: LocalStore) -> None:
    make("Ann")
    assert CliRunner().invoke(voices.app, ["remove", "Ann"], input="n\n").exit_code == 1
    assert registry.find("Ann", store)
    assert CliRunner().invoke(voices.app, ["remove", "Ann"], input="y\n").exit_code == 0
    assert registry.all_voices(store) == []


def test_removal_in_a_script_does_not_ask(make: Make, store: LocalStore) -> None:
    voice = make("Ann")
    assert str(voice.uuid) in run("remove", "Ann", "--yes").stdout
    assert registry.all_voices(store) == []


def test_a_voice_is_exported_and_imported(
    make: Make, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = make("Ann")
    assert run("export", "Ann", "ann.zip").exit_code == 0
    monkeypatch.setenv("VOXMILL_VOICES_DIR", str(tmp_path / "other"))
    document = json.loads(run("import", "ann.zip", "--name", "Anna", "--json").stdout)
    assert document["uuid"] == str(voice.uuid)
    assert document["name"] == "Anna"
    assert isinstance(run("import", "nowhere.zip").exception, InputError)
    assert run("import", "ann.zip").exit_code == 0
    assert registry.find("Anna", registry.open_store(Settings())).uuid == voice.uuid


class FakeEngine:
    """Speaks noise, and remembers what it was asked for."""

    name = "fake"
    capabilities = Capabilities(frozenset({"en"}), True, 32_000, 100, 1)
    asked: list[Utterance]

    def __init__(self) -> None:
        FakeEngine.asked = []

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        FakeEngine.asked += batch
        if "nothing" in batch[0].text:
            return enumerate([EngineError("It says nothing.")])
        return enumerate(Clip(np.full(32_000, 0.1, np.float32), 32_000) for _ in batch)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "load", lambda name, settings, options: FakeEngine())


@pytest.mark.usefixtures("engine")
def test_a_voice_is_tried_out_into_a_file(make: Make) -> None:
    make("Ann")
    assert "Ann.wav: 1.0 s" in run("test", "ann").stdout
    assert soundfile.info("Ann.wav").samplerate == 32_000
    (asked,) = FakeEngine.asked
    assert (asked.voice, asked.language) == ("Ann", "en")
    assert run("test", "Ann", "--text", "Good day.", "--out", "day.wav").exit_code == 0
    assert FakeEngine.asked[-1].text == "Good day."
    assert soundfile.info("day.wav").frames == 32_000


@pytest.mark.usefixtures("engine")
def test_a_failed_trial_leaves_no_file(make: Make, tmp_path: Path) -> None:
    make("Ann")
    assert isinstance(run("test", "Ann", "--text", "nothing").exception, EngineError)
    assert isinstance(run("test", "Ann", "--out", "no/where.wav").exception, RequestError)
    assert isinstance(run("test", "Bea").exception, RequestError)
    assert not list(tmp_path.rglob("*.wav"))


@pytest.mark.usefixtures("engine")
def test_every_language_of_a_voice_has_a_sentence_to_try() -> None:
    from pipeline.voices.reference import LANGUAGES

    assert set(voices.TEST_TEXTS) == set(LANGUAGES)


def test_a_record_without_consent_is_refused_by_every_command(
    make: Make, store: LocalStore
) -> None:
    voice = make("Ann")
    path = store.path(f"voices/{voice.uuid}/voice.json")
    document = json.loads(path.read_bytes())
    del document["consent"]
    path.write_text(json.dumps(document))
    for command in (("show",), ("test",), ("export",)):
        done = run(*command, voice.uuid, *(["x.zip"] if command == ("export",) else []))
        assert isinstance(done.exception, CorruptObjectError)
        assert "consent" in str(done.exception)


def add(audio: object, *arguments: object, name: str = "Ann") -> Result:
    return run("add", name, "--audio", audio, "--language", "en", *arguments)


def test_consent_is_not_optional(tmp_path: Path, store: LocalStore) -> None:
    done = add("a.wav")
    assert done.exit_code == 2
    assert "--consent" in done.output
    assert isinstance(add("a.wav", "--consent", " ").exception, RequestError)
    assert not store.root.exists()


@pytest.mark.parametrize(
    "name", ["heart", "EMMA", "a b", "-", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"]
)
def test_a_bad_name_is_refused_before_anything_is_read(name: str, whisper_dir: Path) -> None:
    done = run("add", "--audio", "a.wav", "--language", "en", "--consent", CONSENT, "--", name)
    assert isinstance(done.exception, RequestError), done.output


def test_a_language_without_an_engine_is_refused_with_those_there_are(whisper_dir: Path) -> None:
    done = run("add", "Ann", "--audio", "a.wav", "--language", "fr", "--consent", CONSENT)
    assert isinstance(done.exception, LanguageError)
    assert "zh (Chinese)" in str(done.exception)


def test_a_missing_recording_is_named(whisper_dir: Path) -> None:
    done = add("nowhere.wav", "--consent", CONSENT)
    assert isinstance(done.exception, InputError)
    assert "nowhere.wav" in str(done.exception)
