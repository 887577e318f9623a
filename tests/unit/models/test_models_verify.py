"""What a model folder holds, and what is remembered of it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline.errors import ModelError
from pipeline.models import catalogue, resolve
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.models.verify import STAMPS, State, inspect, verify
from pipeline.settings import Settings


def damage(path: Path, *, keep_time: bool = False) -> None:
    """Change one byte of the file."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def test_files_copied_by_hand_are_found(here: Settings, filled: Path) -> None:
    assert resolve.find("tiny", here) == filled
    assert resolve.model_dir("tiny", settings=here) == filled


def test_an_empty_machine_has_no_model(here: Settings, tiny: Model) -> None:
    assert resolve.find("tiny", here) is None
    assert not here.models_dir.exists()


def test_a_model_with_a_file_missing_is_not_found(here: Settings, filled: Path) -> None:
    (filled / "vocabulary.txt").unlink()
    assert resolve.find("tiny", here) is None


def test_a_damaged_file_is_an_error_that_names_it_and_the_remedy(
    here: Settings, filled: Path, mirror
) -> None:
    assert resolve.find("tiny", here)
    damage(filled / "weights.bin")
    with pytest.raises(ModelError, match=r"weights\.bin: damaged.*voxmill models pull tiny"):
        resolve.model_dir("tiny", settings=here)
    assert mirror.requests == []


def test_a_truncated_file_is_damaged(here: Settings, filled: Path) -> None:
    os.truncate(filled / "weights.bin", 100)
    with pytest.raises(ModelError, match=r"weights\.bin: damaged"):
        resolve.find("tiny", here)


def test_an_intact_file_is_not_hashed_again_until_it_changes(
    here: Settings, filled: Path, tiny: Model
) -> None:
    assert resolve.find("tiny", here)
    damage(filled / "weights.bin", keep_time=True)
    assert inspect(tiny, filled).state is State.INTACT
    os.utime(filled / "weights.bin")
    assert inspect(tiny, filled).state is State.DAMAGED


def test_verify_hashes_even_what_is_remembered(here: Settings, filled: Path) -> None:
    assert resolve.find("tiny", here)
    damage(filled / "weights.bin", keep_time=True)
    found = verify("tiny", here)
    assert found.state is State.DAMAGED
    assert found.damaged == (filled / "weights.bin",)
    assert found.files == {"vocabulary.txt": State.INTACT, "weights.bin": State.DAMAGED}


def test_what_verify_finds_is_remembered(here: Settings, filled: Path) -> None:
    assert resolve.find("tiny", here)
    damage(filled / "weights.bin", keep_time=True)
    verify("tiny", here)
    with pytest.raises(ModelError, match="damaged"):
        resolve.find("tiny", here)


@pytest.mark.parametrize("junk", ["", "[]", "null", '{"weights.bin": 1}', '{"weights.bin": "ab"}'])
def test_a_broken_note_of_what_was_verified_does_no_harm(
    here: Settings, filled: Path, junk: str
) -> None:
    (filled / STAMPS).write_text(junk)
    assert resolve.find("tiny", here) == filled
    assert set(json.loads((filled / STAMPS).read_text())) == {"weights.bin", "vocabulary.txt"}


@examples(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 199_999), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(filled: Path, tiny: Model, at: int, bit: int) -> None:
    path = filled / "weights.bin"
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
    assert inspect(tiny, filled, trust_stamps=False).state is State.DAMAGED
    path.write_bytes(content)
    assert inspect(tiny, filled, trust_stamps=False).state is State.INTACT


def edition(**contents: bytes) -> tuple[ModelFile, ...]:
    return tuple(
        ModelFile(name, len(content), hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )


@pytest.fixture
def two_editions() -> Model:
    first = HubSource("a/b", "main", edition(config=b"same", weights=b"old", words=b"text"))
    second = HubSource("c/d", "main", edition(config=b"same", weights=b"new", list=b"json"))
    return Model("twofold", "for tests", "MIT", (first, second))


@pytest.mark.parametrize(
    "contents",
    [
        {"config": b"same", "weights": b"old", "words": b"text"},
        {"config": b"same", "weights": b"new", "list": b"json"},
        {"config": b"same", "weights": b"new", "list": b"json", "words": b"left over"},
    ],
)
def test_any_whole_edition_will_do(
    tmp_path: Path, two_editions: Model, contents: dict[str, bytes]
) -> None:
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert inspect(two_editions, tmp_path).state is State.INTACT


def test_a_mixture_of_editions_is_not_taken_for_a_model(
    tmp_path: Path, two_editions: Model
) -> None:
    for name, content in {"config": b"same", "weights": b"old", "list": b"json"}.items():
        (tmp_path / name).write_bytes(content)
    found = inspect(two_editions, tmp_path)
    assert found.state is State.DAMAGED
    assert found.damaged == (tmp_path / "weights",)


@pytest.fixture
def given_tiny(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> Model:
    """`tiny`, whose folder may be named by the setting `whisper_path`."""
    model = Model("tiny", tiny.purpose, tiny.licence, tiny.sources, path_setting="whisper_path")
    monkeypatch.setitem(catalogue.MODELS, "tiny", model)
    return model


def test_a_folder_that_the_settings_name_comes_before_the_model_folder(
    here: Settings, filled: Path, given_tiny: Model, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("weights.bin", "vocabulary.txt"):
        (other / name).write_bytes((filled / name).read_bytes())
    named = here.model_copy(update={"whisper_path": other})
    assert resolve.find("tiny", named) == other


def test_a_named_folder_without_the_model_is_an_error_not_a_download(
    here: Settings, given_tiny: Model, tmp_path: Path, mirror
) -> None:
    named = here.model_copy(update={"whisper_path": tmp_path})
    with pytest.raises(ModelError, match=r"weights\.bin missing or damaged.*VOXMILL_WHISPER_PATH"):
        resolve.model_dir("tiny", settings=named)
    assert mirror.requests == []
