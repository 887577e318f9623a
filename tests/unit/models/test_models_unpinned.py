"""Files that the catalogue does not pin: described by the hub, recorded when they first come."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import pytest

from pipeline.errors import ModelError, StorageError
from pipeline.models import catalogue, resolve
from pipeline.models.files import half_made
from pipeline.models.pull import pull
from pipeline.models.records import RECORDS
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.models.verify import State, verify
from pipeline.settings import Settings

WEIGHTS = "/someone/open/resolve/abc/weights.bin"
WORDS = "/someone/open/resolve/abc/sub/words.txt"
CDN = "/cdn/blob"
CONTENT = bytes(range(256)) * 1_000
TEXT = b"one\ntwo\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324


@pytest.fixture
def open_model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model of which nothing is known beforehand."""
    files = (ModelFile("sub/words.txt"), ModelFile("weights.bin"))
    model = Model("open", "for tests", "MIT", (HubSource("someone/open", "abc", files),))
    monkeypatch.setitem(catalogue.MODELS, "open", model)
    return model


@pytest.fixture
def hub(mirror, open_model: Model):
    """A hub that behaves as the real one: large files elsewhere, hashes in headers."""
    mirror.files |= {WORDS: TEXT, CDN: CONTENT}
    mirror.redirects[WEIGHTS] = f"{mirror.url}{CDN}"
    mirror.headers = {
        WEIGHTS: {
            "X-Repo-Commit": "abc",
            "X-Linked-Size": str(len(CONTENT)),
            "X-Linked-ETag": f'"{sha256(CONTENT)}"',
        },
        WORDS: {"X-Repo-Commit": "abc", "ETag": f'"{git_sha1(TEXT)}"'},
        CDN: {"ETag": '"0123456789abcdef0123456789abcdef01234567"'},
    }
    return mirror


@pytest.fixture
def plain(mirror, open_model: Model):
    """A static web server, which tells no hashes."""
    mirror.files |= {WORDS: TEXT, WEIGHTS: CONTENT}
    return mirror


def recorded(folder: Path) -> dict[str, list[object]]:
    return json.loads((folder / RECORDS).read_text())


def test_what_the_hub_tells_is_checked_and_recorded(
    here: Settings, hub, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pull("open", here)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert recorded(folder) == {
        "weights.bin": [len(CONTENT), sha256(CONTENT)],
        "sub/words.txt": [len(TEXT), sha256(TEXT)],
    }
    assert resolve.find("open", here) == folder
    assert "weights.bin is not pinned: trusted as it first came" in caplog.text
    assert f"the hash is the one that the hub tells) and recorded, SHA-256 {sha256(CONTENT)}" in (
        caplog.text
    )


def test_other_bytes_than_the_hub_tells_are_never_installed(here: Settings, hub) -> None:
    hub.files[CDN] = bytes(len(CONTENT))
    with pytest.raises(ModelError, match=r"weights\.bin is not what the hub says it is"):
        pull("open", here)
    assert not (here.models_dir / "open" / "weights.bin").exists()
    assert "weights.bin" not in recorded(here.models_dir / "open")


def test_a_small_file_is_checked_by_the_hash_of_git(here: Settings, hub) -> None:
    hub.files[WORDS] = TEXT.upper()
    with pytest.raises(ModelError, match=r"words\.txt is not what the hub says it is"):
        pull("open", here)


def test_a_download_that_breaks_off_goes_on_and_is_checked(here: Settings, hub, fault) -> None:
    # Asked of each file: what it is, then its bytes; of the large one each time with a redirect.
    hub.faults = [fault()] * 5 + [fault(cut_after=70_000)]
    folder = pull("open", here)
    assert (folder / "weights.bin").read_bytes() == CONTENT
    assert (CDN, "bytes=70000-") in hub.requests


def test_a_part_left_by_an_earlier_run_is_used_when_the_hub_tells_the_same_hash(
    here: Settings, hub
) -> None:
    folder = here.models_dir / "open"
    folder.mkdir(parents=True)
    known = ModelFile("weights.bin", len(CONTENT), sha256(CONTENT))
    half_made(folder, known).write_bytes(CONTENT[:150_000])
    pull("open", here)
    assert (CDN, "bytes=150000-") in hub.requests
    assert (folder / "weights.bin").read_bytes() == CONTENT


def test_a_plain_mirror_is_believed_once_and_says_so(
    here: Settings, plain, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        folder = pull("open", here)
    assert resolve.find("open", here) == folder
    assert "weights.bin is not pinned" in caplog.text
    assert "the hub tells no hash" in caplog.text


@pytest.mark.parametrize(
    "tag", ['"d41d8cd98f00b204e9800998ecf8427e"', '"5f1d-60a"', f'"{"0" * 40}"', f'"{"0" * 64}"']
)
def test_the_tag_of_a_plain_mirror_means_nothing(here: Settings, plain, tag: str) -> None:
    plain.headers[WEIGHTS] = {"ETag": tag}
    assert (pull("open", here) / "weights.bin").read_bytes() == CONTENT


def test_without_a_hash_a_part_of_an_earlier_run_is_not_trusted(here: Settings, plain) -> None:
    folder = here.models_dir / "open"
    folder.mkdir(parents=True)
    half_made(folder, ModelFile("weights.bin")).write_bytes(b"x" * 1_000)
    pull("open", here)
    assert (folder / "weights.bin").read_bytes() == CONTENT


def test_a_file_that_changes_after_it_was_recorded_is_damaged(here: Settings, hub) -> None:
    folder = pull("open", here)
    assert verify("open", here).state is State.INTACT
    (folder / "weights.bin").write_bytes(CONTENT[:-1] + b"x")
    assert verify("open", here).files["weights.bin"] is State.DAMAGED
    with pytest.raises(ModelError, match=r"weights\.bin: damaged"):
        resolve.find("open", here)
    pull("open", here)
    assert verify("open", here).state is State.INTACT


def test_files_that_nobody_vouches_for_are_not_taken_for_the_model(here: Settings, hub) -> None:
    folder = here.models_dir / "open"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(CONTENT)
    (folder / "sub" / "words.txt").write_bytes(TEXT)
    assert verify("open", here).state is State.UNVERIFIED
    assert resolve.find("open", here) is None


def test_files_that_are_already_here_are_compared_and_not_fetched_again(
    here: Settings, hub
) -> None:
    folder = here.models_dir / "open"
    (folder / "sub").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(CONTENT)
    (folder / "sub" / "words.txt").write_bytes(TEXT)
    before = (folder / "weights.bin").stat().st_mtime_ns
    pull("open", here)
    assert verify("open", here).state is State.INTACT
    assert (folder / "weights.bin").stat().st_mtime_ns == before


def test_a_file_here_that_is_not_the_hubs_is_replaced(here: Settings, hub) -> None:
    folder = here.models_dir / "open"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(bytes(len(CONTENT)))
    pull("open", here)
    assert (folder / "weights.bin").read_bytes() == CONTENT


def test_a_missing_file_is_named(here: Settings, hub) -> None:
    del hub.redirects[WEIGHTS]
    with pytest.raises(ModelError, match=r"'open' cannot be had.*weights\.bin answers 404"):
        pull("open", here)


def test_a_busy_hub_is_asked_again(here: Settings, hub, fault) -> None:
    hub.faults = [fault(status=503), fault(status=429)]
    assert pull("open", here)


def test_a_hub_that_stays_busy_is_given_up(here: Settings, hub, fault) -> None:
    hub.faults = [fault(status=503)] * 10
    with pytest.raises(ModelError, match="answers 503"):
        pull("open", here)


def test_a_server_that_does_not_tell_the_size_is_refused(here: Settings, plain, fault) -> None:
    plain.faults = [fault(hides_length=True)]
    with pytest.raises(ModelError, match="does not tell how long the file is"):
        pull("open", here)


def test_a_disk_that_is_too_small_is_refused_once_the_size_is_known(here: Settings, hub) -> None:
    hub.headers[WEIGHTS]["X-Linked-Size"] = str(10**17)
    with pytest.raises(StorageError, match=r"the model needs .* MB"):
        pull("open", here)
    assert not list((here.models_dir / "open").glob(".weights*"))


@pytest.mark.parametrize("junk", ["", "[]", "null", '{"weights.bin": 1}', '{"weights.bin": ["a"]}'])
def test_a_broken_record_makes_files_unverified_not_intact(here: Settings, hub, junk: str) -> None:
    folder = pull("open", here)
    (folder / RECORDS).write_text(junk)
    assert verify("open", here).state is State.UNVERIFIED
    os.utime(folder / "weights.bin")
    assert resolve.find("open", here) is None
    pull("open", here)
    assert verify("open", here).state is State.INTACT
