"""A development stack, brought up, used, hurt, repaired and taken down with the real command."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline import local_stack

Voxmill = Callable[..., Any]
NAMES = ["redis", "s3", "worker-1", "worker-2", "finalizer", "reconciler"]


@dataclass(frozen=True)
class Up:
    """A running stack and the command that finds it."""

    voxmill: Voxmill
    environment: dict[str, str]
    folder: Path

    def __call__(self, *arguments: object) -> Any:
        return self.voxmill(*arguments, env=self.environment)

    def status(self) -> dict[str, dict[str, Any]]:
        shown = json.loads(self("stack", "status", "--json").stdout)
        assert set(shown) == {"processes"}
        return {each["name"]: each for each in shown["processes"]}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, voxmill: Voxmill) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("home")
    up = Up(voxmill, {"XDG_DATA_HOME": str(home)}, home / "voxmill" / "stack")
    done = up("stack", "up", "--workers", "2")
    try:
        assert done.code == 0, done.stderr
        yield up
    finally:
        up("stack", "down", "--purge")


def test_everything_answers_when_up_returns(stack: Up) -> None:
    found = stack.status()
    assert list(found) == NAMES
    assert all(each["healthy"] for each in found.values())
    assert all(set(each) == {"name", "pid", "port", "healthy"} for each in found.values())
    assert stack("stack", "status").code == 0
    assert {path.stem for path in (stack.folder / "logs").iterdir()} == set(NAMES)


def test_what_is_secret_can_be_read_by_its_owner_only(stack: Up) -> None:
    for name in ("stack.json", "redis/redis.conf", "s3/s3.json"):
        assert stat.S_IMODE((stack.folder / name).stat().st_mode) == 0o600
    state = local_stack.load(stack.folder)
    assert state
    told = stack("stack", "status").stdout
    logs = "".join(path.read_text(errors="replace") for path in stack.folder.glob("logs/*.log"))
    for secret in (state.s3_secret_access_key, state.redis_url.split(":")[2].split("@")[0]):
        assert secret not in told + logs


def test_up_again_starts_nothing_twice(stack: Up) -> None:
    before = stack.status()
    assert stack("stack", "up", "--workers", "2").code == 0
    assert stack.status() == before


def test_submit_and_jobs_find_it_by_themselves(stack: Up, book: Path, tmp_path: Path) -> None:
    done = stack("submit", book, "--output", "s3://voxmill/out", "--job-id", "small", "--wait")
    assert done.code == 0, done.stderr
    shown = json.loads(stack("jobs", "show", "small", "--json").stdout)
    assert shown["state"] == "succeeded"
    rendered = stack("render", book, "--out", tmp_path / "out", "--json")
    assert rendered.code == 0
    files = {
        Path(each["name"]).name: each["sha256"]
        for each in rendered.event("Finished")["result"]["outputs"]
    }
    delivered = {each["name"]: each["sha256"] for each in shown["outputs"]}
    assert delivered.pop("manifest.json")
    assert delivered == files


def test_a_process_that_died_shows_and_up_repairs_it(stack: Up) -> None:
    before = stack.status()
    os.kill(before["worker-2"]["pid"], signal.SIGKILL)
    until_s = time.monotonic() + 10
    while stack.status()["worker-2"]["healthy"] and time.monotonic() < until_s:
        time.sleep(0.1)
    broken = stack("stack", "status", "--json")
    assert broken.code == 1
    assert not stack.status()["worker-2"]["healthy"]
    assert stack("stack", "up", "--workers", "2").code == 0
    after = stack.status()
    assert all(each["healthy"] for each in after.values())
    assert after["worker-2"]["pid"] != before["worker-2"]["pid"]
    assert after["worker-2"]["port"] == before["worker-2"]["port"]
    assert after["redis"] == before["redis"]


def test_a_store_is_proved_by_command(stack: Up) -> None:
    proved = stack("store", "check", "s3://voxmill/proof", "--json")
    assert proved.code == 0
    findings = json.loads(proved.stdout)
    assert len(findings) >= 7
    assert all(each["is_kept"] for each in findings)


def test_down_leaves_no_process_and_can_be_repeated(stack: Up) -> None:
    pids = [each["pid"] for each in stack.status().values()]
    assert stack("stack", "down").code == 0
    assert all(local_stack.started(pid) is None for pid in pids)
    assert stack("stack", "down").code == 0
    gone = stack("stack", "status", "--json")
    assert gone.code == 1
    assert json.loads(gone.stdout) == {"processes": []}
    refused = stack("jobs", "list")
    assert refused.code == 2
    assert "voxmill stack up" in refused.stderr


def test_jobs_are_still_there_after_the_next_up(stack: Up) -> None:
    assert stack("stack", "up", "--workers", "2").code == 0
    listed = json.loads(stack("jobs", "list", "--json").stdout)
    assert "small" in json.dumps(listed)
