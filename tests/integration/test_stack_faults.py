"""A stack that cannot come up, is interrupted, moved, frozen, resized or damaged."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from servers import eventually

from pipeline import local_stack
from pipeline.local_stack import STATE, StackState
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from producer.stack.health import settings_for
from producer.stack.parts import BUCKET

Voxmill = Callable[..., Any]
ONE = ("--workers", "1")
VOXMILL = (sys.executable, "-m", "producer.cli.app")


@dataclass(frozen=True)
class Place:
    """A folder for a stack, and the command that finds it."""

    voxmill: Voxmill
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"VOXMILL_STACK_DIR": str(self.folder)}

    @property
    def state(self) -> StackState:
        found = local_stack.load(self.folder)
        assert found
        return found

    @property
    def store(self) -> ObjectStore:
        return open_store(f"s3://{BUCKET}", settings_for(self.state))

    def __call__(self, *arguments: object, **options: Any) -> Any:
        return self.voxmill("stack", *arguments, env=self.environment, **options)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command without waiting for its end."""
        return subprocess.Popen(
            [*VOXMILL, "stack", *arguments],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def unhealthy(self) -> list[str]:
        """Return what `status` complains of, and check that it says so by its exit code."""
        shown = self("status", "--json")
        found = [
            each["name"] for each in json.loads(shown.stdout)["processes"] if not each["healthy"]
        ]
        assert shown.code == (1 if found else 0)
        return found

    def pid(self, name: str) -> int:
        return self.pids()[name]

    def pids(self) -> dict[str, int]:
        return {each.name: each.pid for each in self.state.processes}

    def left(self) -> list[int]:
        """Return the processes of this machine that belong to the stack, known or not."""
        return [pid for pid in _processes() if _mentions(pid, self.folder)]


@pytest.fixture
def place(tmp_path: Path, voxmill: Voxmill) -> Iterator[Place]:
    """A folder in which there never was a stack."""
    place = Place(voxmill, tmp_path / "a stack")
    yield place
    place("down")
    assert place.left() == []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, voxmill: Voxmill) -> Iterator[Place]:
    place = Place(voxmill, tmp_path_factory.mktemp("stack"))
    done = place("up", *ONE)
    try:
        assert done.code == 0, done.stderr
        yield place
    finally:
        place("down")


# --- up -----------------------------------------------------------------------------------------


def test_what_does_not_come_up_is_shown_with_the_end_of_its_log_and_nothing_is_left(
    place: Place,
) -> None:
    (place.folder / "redis").mkdir(parents=True)
    (place.folder / "redis" / "appendonly.aof").write_text("not what Redis writes")
    done = place("up", *ONE)
    assert done.code == 1
    assert "redis does not come up. The end of" in done.stderr
    assert "append only file" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.left() == []
    assert place.state.processes == ()


def test_ctrl_c_stops_what_was_started_and_a_second_up_does_not_disturb_the_first(
    place: Place,
) -> None:
    with place.begin("up", *ONE) as first:
        assert first.stderr
        assert next(iter(first.stderr)) == "redis: ready\n"
        for command in (("up", *ONE), ("down",)):
            second = place(*command)
            assert (second.code, "is at work" in second.stderr) == (1, True)
        assert len(place.left()) >= 2
        first.send_signal(signal.SIGINT)
    assert first.returncode == 130
    assert place.left() == []


def test_what_an_up_that_was_killed_has_started_is_known(place: Place) -> None:
    with place.begin("up", *ONE) as first:
        assert first.stderr
        assert next(iter(first.stderr)) == "redis: ready\n"
        first.kill()
    assert {"redis", "s3"} == place.pids().keys()
    assert place("down").code == 0
    assert place.left() == []


def test_another_folder_is_named_for_submit_and_jobs(
    voxmill: Voxmill, tmp_path: Path, running: Place
) -> None:
    home = {"XDG_DATA_HOME": str(tmp_path)}
    done = voxmill("stack", "up", "--folder", running.folder, "--json", env=home)
    assert done.code == 0
    assert f"export VOXMILL_STACK_DIR='{running.folder}'" in done.stderr
    assert [each["name"] for each in json.loads(done.stdout)["processes"]] == list(running.pids())
    assert voxmill("jobs", "list", env=home).code == 2
    assert voxmill("jobs", "list", env=running.environment).code == 0


def test_whoever_names_another_store_is_told_that_the_stack_is_not_used(running: Place) -> None:
    environment = {**running.environment, "VOXMILL_STORE_URL": "s3://mine"}
    done = running.voxmill("stack", "up", env=environment)
    assert done.code == 0
    assert "VOXMILL_STORE_URL is set" in done.stderr


# --- a running stack ----------------------------------------------------------------------------


def test_every_process_lives_apart_from_the_terminal(running: Place) -> None:
    assert all(os.getsid(pid) == pid for pid in running.pids().values())


def test_frozen_processes_show_and_up_replaces_them(running: Place) -> None:
    frozen = {"redis", "s3", "worker-1"}
    before, ports = running.pids(), running.state.ports
    for name in frozen:
        os.kill(before[name], signal.SIGSTOP)
    assert frozen == set(running.unhealthy())
    done = running("up")
    assert done.code == 0, done.stderr
    assert all(f"{name}: does not answer" in done.stderr for name in frozen)
    after = running.pids()
    assert list(after) == list(before)
    assert {name for name in before if before[name] != after[name]} == frozen
    assert running.state.ports == ports
    assert running.unhealthy() == []


def test_what_was_stored_survives_the_death_of_the_s3_server(running: Place) -> None:
    assert running.store.put_new("kept", b"by all means")
    os.kill(running.pid("s3"), signal.SIGKILL)
    eventually(lambda: "s3" in running.unhealthy(), 10.0)
    assert running("up").code == 0
    assert running.store.get("kept") == b"by all means"


def test_the_number_of_workers_can_be_changed(running: Place) -> None:
    before = running.pids()
    assert running("up", "--workers", "2").code == 0
    assert running.pids() == {**before, "worker-2": running.pid("worker-2")}
    second = running.pid("worker-2")
    assert running("up", *ONE).code == 0
    assert running.pids() == before
    assert local_stack.started(second) is None


def test_a_server_whose_port_is_taken_moves_and_whoever_knows_its_old_address_is_started_anew(
    running: Place,
) -> None:
    before, pids = running.state, running.pids()
    os.kill(pids["redis"], signal.SIGKILL)
    eventually(lambda: local_stack.started(pids["redis"]) is None, 10.0)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", before.ports["redis"]))
        stranger.listen()
        assert running("up").code == 0
    after = running.state
    assert {name for name, pid in running.pids().items() if pid == pids[name]} == {"s3"}
    assert {name for name in after.ports if after.ports[name] != before.ports[name]} == {"redis"}
    assert after.s3_secret_access_key == before.s3_secret_access_key
    assert after.redis_url == before.redis_url.replace(
        str(before.ports["redis"]), str(after.ports["redis"])
    )
    assert running.unhealthy() == []


# --- down ---------------------------------------------------------------------------------------


def test_purging_removes_what_is_the_stacks_and_nothing_else(running: Place) -> None:
    mine = running.folder / "mine.txt"
    mine.write_text("a book")
    assert running("down", "--purge").code == 0
    assert list(running.folder.iterdir()) == [mine]
    assert running.left() == []
    assert running("down", "--purge").code == 0
    assert mine.read_text() == "a book"


def test_a_damaged_state_is_never_taken_for_none(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / STATE).write_text("{")
    for command in (("up", *ONE), ("status",), ("down", "--purge")):
        done = place(*command)
        assert done.code == 1
        assert "is damaged" in done.stderr
        assert "Traceback" not in done.stderr
    (place.folder / STATE).unlink()


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _mentions(pid: int, folder: Path) -> bool:
    """Tell whether a process was started for a folder, by its command or its environment."""
    if pid == os.getpid():
        return False
    try:
        told = b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
    except OSError:
        return False
    return str(folder).encode() in told
