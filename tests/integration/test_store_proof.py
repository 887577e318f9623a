"""A store is proved before it is trusted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import faults
import pytest
from conftest import Ran
from faults import Fault, HttpFaults, Request
from s3_server import ACCESS_KEY, SECRET_KEY

from pipeline.errors import StorageError, StoreUnavailableError
from pipeline.settings import Settings
from pipeline.store import probe
from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore
from pipeline.store.s3 import S3Store
from pipeline.store.s3_client import connect

Voxmill = Callable[..., Ran]

#: What a server that ignores conditions lacks.
CONDITIONAL = {
    "writes only what is not there",
    "has one winner of a race",
    "has one winner of many races",
    "takes files",
    "takes files in parts",
}


@pytest.fixture
def proxy(s3_server: Settings) -> Iterator[HttpFaults]:
    port = urlsplit(s3_server.s3_endpoint_url or "").port
    assert port
    with HttpFaults(port, keys=(ACCESS_KEY, SECRET_KEY)) as running:
        yield running


@pytest.fixture
def behind(s3: S3Store, s3_server: Settings, proxy: HttpFaults) -> S3Store:
    """The bucket, reached through the proxy."""
    return S3Store(
        s3.bucket, "", connect(s3_server.model_copy(update={"s3_endpoint_url": proxy.url}))
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return LocalStore(tmp_path / "store")
    bucket: S3Store = request.getfixturevalue("s3")
    return bucket.below("queue")


def test_a_good_store_keeps_everything_and_nothing_is_left_in_it(store: ObjectStore) -> None:
    findings = list(probe.check(store))
    assert [each.name for each in findings if not each.is_kept] == []
    assert {each.name for each in findings} > CONDITIONAL
    assert list(store.names("probe")) == []


def test_workers_find_a_good_store_good_soon(store: ObjectStore) -> None:
    probe.require(store)
    started_s = time.monotonic()
    probe.require(store)
    assert time.monotonic() - started_s < 5.0  # 0.2 s where nothing else runs
    assert list(store.names("probe")) == []


def test_a_server_that_ignores_conditions_is_found_out(behind: S3Store, proxy: HttpFaults) -> None:
    proxy.decide = lambda _: faults.UNCONDITIONAL
    lacking = {each.name: each.detail for each in probe.check(behind) if not each.is_kept}
    assert lacking.keys() == CONDITIONAL
    assert "the condition is ignored" in lacking["takes files in parts"]
    with pytest.raises(StorageError, match="Results, which are written once, need") as caught:
        probe.require(behind)
    assert behind.place("probe") in str(caught.value)


def test_a_server_that_checks_the_condition_too_late_is_found_out(
    behind: S3Store, proxy: HttpFaults
) -> None:
    written: set[str] = set()

    def decide(request: Request) -> Fault:
        """Look first, write later."""
        if request.method != "PUT" or "race" not in request.path or request.path in written:
            return faults.PASS
        time.sleep(0.2)
        written.add(request.path)
        return faults.UNCONDITIONAL

    proxy.decide = decide
    with pytest.raises(StorageError, match="writes at once succeed, instead of 1"):
        probe.require(behind)


def test_a_server_that_loses_metadata_is_found_out(behind: S3Store, proxy: HttpFaults) -> None:
    proxy.decide = lambda _: Fault(without="x-amz-meta-sha256")
    with pytest.raises(StorageError, match="digest"):
        probe.require(behind)


def test_a_server_that_does_not_answer_now_is_not_called_bad(
    behind: S3Store, proxy: HttpFaults
) -> None:
    proxy.decide = lambda _: faults.status(400, "ExpiredToken")
    with pytest.raises(StoreUnavailableError):
        probe.require(behind)


def test_the_command_shows_what_is_kept(
    voxmill: Voxmill, s3: S3Store, s3_server: Settings, tmp_path: Path
) -> None:
    ran = voxmill("store", "check", f"s3://{s3.bucket}/queue", env=environment(s3_server, tmp_path))
    assert ran.code == 0, ran.stderr
    assert ran.stdout.count("kept ") == len(probe.QUICK) + len(probe.SLOW)


def test_the_command_fails_where_something_is_not(
    voxmill: Voxmill, behind: S3Store, proxy: HttpFaults, s3_server: Settings, tmp_path: Path
) -> None:
    proxy.decide = lambda _: faults.UNCONDITIONAL
    env = environment(s3_server, tmp_path) | {"VOXMILL_S3_ENDPOINT_URL": proxy.url}
    ran = voxmill("store", "check", f"s3://{behind.bucket}", "--json", env=env)
    assert ran.code == 1
    told = json.loads(ran.stdout)
    assert {each["name"] for each in told if not each["is_kept"]} == CONDITIONAL


@pytest.mark.parametrize("command", [["worker", "--queues", "finalize"], ["reconcile"]])
def test_no_worker_starts_on_a_store_that_ignores_conditions(
    voxmill: Voxmill,
    behind: S3Store,
    proxy: HttpFaults,
    s3_server: Settings,
    tmp_path: Path,
    command: list[str],
) -> None:
    proxy.decide = lambda _: faults.UNCONDITIONAL
    env = environment(s3_server, tmp_path) | {
        "VOXMILL_S3_ENDPOINT_URL": proxy.url,
        "VOXMILL_STORE_URL": f"s3://{behind.bucket}/queue",
        "VOXMILL_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    ran = voxmill(*command, env=env)
    assert ran.code == 1
    assert "must not be used for jobs" in ran.stderr


def environment(settings: Settings, home: Path) -> dict[str, str]:
    """What a command sees that is to reach the server, and no stack that may run here."""
    assert settings.s3_endpoint_url
    return {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "VOXMILL_S3_ENDPOINT_URL": settings.s3_endpoint_url,
        "VOXMILL_S3_ACCESS_KEY_ID": ACCESS_KEY,
        "VOXMILL_S3_SECRET_ACCESS_KEY": SECRET_KEY,
    }
