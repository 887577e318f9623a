"""What the S3 store makes of a bad network and a bad day of the server."""

from __future__ import annotations

import hashlib
import logging
import random
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import faults
import pytest
from faults import Fault, HttpFaults, Request
from pydantic import SecretStr

from pipeline.errors import StorageError, StoreUnavailableError
from pipeline.settings import Settings
from pipeline.store.s3 import S3Store
from pipeline.store.s3_client import connect

LARGE_BYTES = 65_000_001
Answer = TypeVar("Answer")


@pytest.fixture
def proxy(s3_server: Settings) -> Iterator[HttpFaults]:
    with HttpFaults(_port(s3_server)) as running:
        yield running


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth as long before a repetition."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda pause_s: sleep(pause_s / 10))


@pytest.fixture
def behind(s3: S3Store, s3_server: Settings, proxy: HttpFaults) -> S3Store:
    """The bucket, reached through the proxy."""
    return S3Store(s3.bucket, "", connect(_through(s3_server, proxy)))


def test_a_write_whose_answer_is_lost_counts_as_ours(
    behind: S3Store, s3: S3Store, proxy: HttpFaults
) -> None:
    proxy.decide = once(faults.LOST, "PUT")
    assert behind.put_new("a", b"ours")
    assert s3.get("a") == b"ours"
    assert len(_sent(proxy, "PUT")) == 2


def test_a_write_that_lost_its_answer_and_the_race_is_not_ours(
    behind: S3Store, s3: S3Store, proxy: HttpFaults
) -> None:
    s3.put_new("a", b"theirs")
    proxy.decide = once(faults.LOST, "PUT")
    assert not behind.put_new("a", b"ours")
    assert s3.get("a") == b"theirs"


@pytest.mark.parametrize("fault", [faults.RESET, faults.CUT_UPLOAD, faults.status(500, "Internal")])
def test_a_write_that_did_not_arrive_is_repeated(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, fault: Fault
) -> None:
    proxy.decide = once(fault, "PUT")
    assert behind.put_new("a", bytes(100_000))
    assert s3.get("a") == bytes(100_000)


def test_a_write_that_met_another_is_repeated(
    behind: S3Store, s3: S3Store, proxy: HttpFaults
) -> None:
    proxy.decide = once(faults.status(409, "ConditionalRequestConflict"), "PUT")
    assert behind.put_new("a", b"ours")
    assert s3.get("a") == b"ours"


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("fault", [faults.LOST, faults.RESET, faults.CUT_UPLOAD])
def test_a_large_file_arrives_whole_whatever_request_of_it_fails(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, tmp_path: Path, method: str, fault: Fault
) -> None:
    path = tmp_path / "file"
    path.write_bytes(random.Random(1).randbytes(LARGE_BYTES))
    proxy.decide = once(fault, method)
    assert behind.put_file("book", path, content_type="audio/flac", metadata={})
    found = s3.stat("book")
    assert found is not None
    assert found.size_bytes == LARGE_BYTES
    assert s3.get("book") == path.read_bytes()


def test_an_end_of_an_upload_whose_answer_is_lost_counts_as_ours(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LARGE_BYTES))
    ends: list[Request] = []

    def decide(request: Request) -> Fault:
        if request.method == "POST" and "uploadId" in request.query:
            ends.append(request)
        return faults.LOST if len(ends) == 1 and ends[0] is request else faults.PASS

    proxy.decide = decide
    assert behind.put_file("book", path, content_type="audio/flac", metadata={})
    assert ends
    assert s3.get("book") == bytes(LARGE_BYTES)


def test_an_upload_that_fails_for_good_leaves_no_parts(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LARGE_BYTES))
    denied = faults.status(403, "AccessDenied")
    proxy.decide = lambda request: (
        denied if request.query.get("partNumber") == ["3"] else faults.PASS
    )
    with pytest.raises(StorageError, match="credentials"):
        behind.put_file("book", path, content_type="audio/flac", metadata={})
    assert not s3.exists("book")
    assert _uploads(s3) == []


def test_parts_that_a_dead_process_left_go_with_what_is_around_them(s3: S3Store) -> None:
    for key in ("out/1/book.flac", "out/12/book.flac"):
        s3.client.create_multipart_upload(Bucket=s3.bucket, Key=key)
    s3.delete_all("out/1")
    assert _uploads(s3) == ["out/12/book.flac"]


@pytest.mark.parametrize("fault", [faults.CUT_DOWNLOAD, faults.DAMAGED, faults.RESET])
def test_what_arrives_damaged_is_read_again(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, fault: Fault
) -> None:
    data = random.Random(2).randbytes(100_000)
    s3.put("a", data)
    proxy.decide = once(fault, "GET")
    assert behind.get("a") == data
    assert len(_sent(proxy, "GET")) == 2


def test_what_never_arrives_whole_is_never_taken_for_the_object(
    behind: S3Store, s3: S3Store, proxy: HttpFaults
) -> None:
    s3.put("a", bytes(100_000))
    proxy.decide = lambda _: faults.CUT_DOWNLOAD
    with pytest.raises(StoreUnavailableError, match="broke off"):
        behind.get("a")


def test_what_lies_damaged_in_the_store_is_seen_by_its_digest(
    s3: S3Store, caplog: pytest.LogCaptureFixture
) -> None:
    digest = hashlib.sha256(b"sound").hexdigest()
    s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"noise", Metadata={"sha256": digest})
    assert s3.get("a") == b"noise"
    assert "damaged" in caplog.text
    found = s3.stat("a")
    assert found is not None
    assert found.sha256 == digest


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.usefixtures("hasty")
def test_a_server_that_fails_now_and_then_loses_nothing(
    behind: S3Store, s3: S3Store, proxy: HttpFaults, share: float
) -> None:
    dice = random.Random(3)
    kinds = [faults.status(503, "SlowDown"), faults.status(500), faults.LOST, faults.RESET]
    proxy.decide = lambda _: dice.choice(kinds) if dice.random() < share else faults.PASS
    names = [f"a/{number:02d}" for number in range(40)]
    with ThreadPoolExecutor(30) as pool:
        assert all(pool.map(patiently(lambda name: behind.put_new(name, name.encode())), names))
        assert not any(pool.map(patiently(lambda name: behind.put_new(name, b"other")), names))
        assert list(pool.map(patiently(behind.get), names)) == [name.encode() for name in names]
    assert list(s3.names("a")) == names
    assert len(proxy.seen) < 160 * (1 + 3 * share)  # a refused write looks who was first


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestTimeTooSkewed"])
def test_what_passes_when_a_person_renews_it_is_tried_again_later(
    behind: S3Store, proxy: HttpFaults, code: str
) -> None:
    proxy.decide = lambda _: faults.status(403, code)
    for use in (
        behind.get,
        behind.exists,
        behind.stat,
        behind.delete,
        lambda _: behind.put("a", b""),
    ):
        with pytest.raises(StoreUnavailableError, match=r"Renew|clock"):
            use("a")


@pytest.mark.usefixtures("hasty")
def test_a_server_that_is_not_there_is_to_be_tried_again(s3_server: Settings) -> None:
    with HttpFaults(1) as gone:
        settings = _through(s3_server, gone)
    with pytest.raises(StoreUnavailableError, match="VOXMILL_S3_ENDPOINT_URL"):
        S3Store("bucket", "", connect(settings)).get("a")


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"s3_access_key_id": SecretStr("hunter2")}, "VOXMILL_S3_ACCESS_KEY_ID"),
        ({"s3_secret_access_key": SecretStr("hunter2")}, "VOXMILL_S3_SECRET_ACCESS_KEY"),
        ({"s3_access_key_id": None, "s3_secret_access_key": None}, "VOXMILL_S3_ACCESS_KEY_ID"),
    ],
)
def test_keys_that_are_refused_are_named_by_their_variable_and_never_shown(
    s3_server: Settings,
    changed: dict[str, SecretStr | None],
    variable: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    caplog.set_level(logging.INFO)
    store = S3Store("bucket", "", connect(s3_server.model_copy(update=changed)))
    for use in (store.get, store.exists, lambda name: store.put_new(name, b"")):
        with pytest.raises(StorageError, match=variable) as caught:
            use("a")
        assert "s3://bucket" in str(caught.value)
        shown = f"{caught.value!r} {store!r} {caplog.text}"
        assert "hunter2" not in shown
        assert "tester-secret" not in shown


def test_a_bucket_that_is_not_there_is_named(behind: S3Store, proxy: HttpFaults) -> None:
    proxy.decide = lambda _: faults.status(404, "NoSuchBucket")
    with pytest.raises(StorageError, match=f"s3://{behind.bucket}/a does not exist"):
        behind.get("a")


@pytest.mark.usefixtures("hasty")
def test_a_server_with_certificates_of_its_own_is_trusted_when_told(
    s3: S3Store, s3_server: Settings, tmp_path: Path
) -> None:
    bundle, tls = _certificate(tmp_path)
    s3.put("a", b"1")
    with HttpFaults(_port(s3_server), tls=tls) as proxy:
        settings = _through(s3_server, proxy)
        trusting = connect(settings.model_copy(update={"s3_ca_bundle": bundle}))
        assert S3Store(s3.bucket, "", trusting).get("a") == b"1"
        with pytest.raises(StoreUnavailableError, match="SSLError"):
            S3Store(s3.bucket, "", connect(settings)).get("a")


def once(fault: Fault, method: str) -> Callable[[Request], Fault]:
    """Spoil the first request of a method."""
    spoiled: list[Request] = []

    def decide(request: Request) -> Fault:
        if request.method != method or spoiled:
            return faults.PASS
        spoiled.append(request)
        return fault

    return decide


def patiently(use: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """Use the store as the queue does: what cannot be had now is asked for again later."""

    def used(name: str) -> Answer:
        for _ in range(3):
            with suppress(StoreUnavailableError):
                return use(name)
        return use(name)

    return used


def _sent(proxy: HttpFaults, method: str) -> list[Request]:
    return [request for request in proxy.seen if request.method == method]


def _uploads(store: S3Store) -> list[str]:
    found = store.client.list_multipart_uploads(Bucket=store.bucket)
    return [upload["Key"] for upload in found.get("Uploads", [])]


def _port(settings: Settings) -> int:
    port = urlsplit(settings.s3_endpoint_url or "").port
    assert port
    return port


def _through(settings: Settings, proxy: HttpFaults) -> Settings:
    return settings.model_copy(update={"s3_endpoint_url": proxy.url})


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=test", "-addext", f"subjectAltName=IP:{faults.HOST}"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
