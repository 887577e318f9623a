"""Whether a stack is found, and whether its processes are taken for what they are."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline import local_stack
from pipeline.errors import CorruptObjectError, RequestError
from pipeline.local_stack import STATE, StackProcess, StackState
from pipeline.settings import Settings

SECRET = "only ours"


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state = _state(_ourselves())
    local_stack.save(state, tmp_path)
    assert local_stack.load(tmp_path) == state


def test_a_state_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    local_stack.save(_state(), tmp_path)
    assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_where_there_never_was_a_stack_there_is_no_state(tmp_path: Path) -> None:
    assert local_stack.load(tmp_path) is None


def test_a_damaged_state_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b"{")
    with pytest.raises(CorruptObjectError, match=r"stack\.json is damaged.*delete it"):
        local_stack.load(tmp_path)


def test_a_process_that_lives_is_running() -> None:
    assert local_stack.is_running(_ourselves())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process began")
def test_another_process_with_the_same_number_is_not_taken_for_it() -> None:
    ourselves = _ourselves()
    earlier = ourselves.model_copy(update={"started": ourselves.started - 1})
    assert not local_stack.is_running(earlier)


def test_a_process_that_has_ended_is_not_running_even_if_nobody_has_buried_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        began = local_stack.started(process.pid)
        assert began is not None
        seen = StackProcess(name="worker-1", pid=process.pid, started=began, port=1)
        assert local_stack.is_running(seen)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if sys.platform == "linux":
            assert not local_stack.is_running(seen)
    assert not local_stack.is_running(seen)


def test_a_running_stack_is_used_where_no_store_is_named(tmp_path: Path) -> None:
    local_stack.save(_state(_ourselves()), tmp_path)
    ca = tmp_path / "ca.pem"
    found = local_stack.settings_of_running(
        Settings(
            stack_dir=tmp_path,
            store_url="",
            tenant="acme",
            s3_region="eu-west-1",
            s3_session_token=SecretStr("of another place"),
            s3_ca_bundle=ca,
            broker_url=SecretStr("amqp://elsewhere"),
        )
    )
    assert found.store_url == "s3://voxmill"
    assert found.redis_url.get_secret_value() == "redis://:word@127.0.0.1:1/0"
    assert found.s3_endpoint_url == "http://127.0.0.1:2"
    assert found.s3_secret_access_key == SecretStr(SECRET)
    assert (found.broker_url, found.s3_session_token, found.s3_ca_bundle) == (None, None, None)
    assert found.tenant == "acme"


def test_a_store_that_is_named_is_used_whatever_runs(tmp_path: Path) -> None:
    local_stack.save(_state(_ourselves()), tmp_path)
    settings = Settings(stack_dir=tmp_path, store_url="s3://mine")
    assert local_stack.settings_of_running(settings) == settings


@pytest.mark.parametrize("has_been_up", [True, False])
def test_without_a_store_and_a_stack_the_remedy_is_told(tmp_path: Path, has_been_up: bool) -> None:
    if has_been_up:
        local_stack.save(_state(), tmp_path)
    with pytest.raises(RequestError, match="voxmill stack up"):
        local_stack.settings_of_running(Settings(stack_dir=tmp_path, store_url=""))


def _ourselves() -> StackProcess:
    began = local_stack.started(os.getpid())
    assert began is not None
    return StackProcess(name="worker-1", pid=os.getpid(), started=began, port=1)


def _state(*processes: StackProcess) -> StackState:
    return StackState(
        processes=processes,
        ports={"redis": 1, "s3.port": 2},
        store_url="s3://voxmill",
        redis_url="redis://:word@127.0.0.1:1/0",
        s3_endpoint_url="http://127.0.0.1:2",
        s3_access_key_id="key",
        s3_secret_access_key=SECRET,
    )
