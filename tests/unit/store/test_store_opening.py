from __future__ import annotations

import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from pipeline.errors import MissingToolError, RequestError
from pipeline.settings import Settings
from pipeline.store import opening
from pipeline.store.local import LocalStore
from pipeline.store.opening import S3Address
from pipeline.store.s3 import S3Store

settings = Settings()


def test_a_folder_is_a_store(tmp_path: Path) -> None:
    store = opening.open_store(str(tmp_path / "store"), settings)
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "store"


def test_a_bucket_is_a_store_and_nothing_is_asked_yet() -> None:
    store = opening.open_store("s3://bucket/a/b/", settings)
    assert isinstance(store, S3Store)
    assert store.place("x") == "s3://bucket/a/b/x"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://bucket", S3Address("bucket", "")),
        ("s3://bucket/", S3Address("bucket", "")),
        ("s3://my-bucket.of.mine/a b/ü", S3Address("my-bucket.of.mine", "a b/ü")),
        ("s3://bucket/a#b?c", S3Address("bucket", "a#b?c")),
    ],
)
def test_an_address_has_a_bucket_and_a_prefix(url: str, address: S3Address) -> None:
    assert opening.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com/x",
        "s3://",
        "s3:///prefix",
        "s3://B",
        "s3://user:password@bucket/x",
        "s3://bucket/../x",
        "s3://bucket/a//b",
        "s3://bucket/a/./b",
        "s3://bucket/a\tb",
        "s3://bucket/a\x00b",
        "s3://bucket/a\nb",
    ],
)
def test_what_is_no_address_is_refused_with_what_to_give_instead(url: str) -> None:
    with pytest.raises(RequestError, match=r"s3://bucket/prefix|may have no"):
        opening.open_store(url, settings)


def test_only_allowed_buckets_and_the_queues_own_may_be_used() -> None:
    some = Settings(allowed_buckets=("one", "two"), store_url="s3://own/queue")
    for url in ("s3://one-1/x", "s3://three"):
        with pytest.raises(RequestError, match="one, two"):
            opening.require_bucket(url, some)
    for url in ("s3://one/x", "s3://two", "s3://own/elsewhere"):
        opening.require_bucket(url, some)


def test_any_bucket_may_be_used_where_none_is_named() -> None:
    opening.require_bucket("s3://any/x", settings)


def test_without_boto3_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    with pytest.raises(MissingToolError, match="pip install"):
        opening.open_store("s3://bucket", settings)


def test_a_folder_costs_no_import_of_boto3() -> None:
    code = (
        "import sys; from pipeline.settings import Settings; from pipeline.store import opening;"
        "opening.open_store('folder', Settings()); sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_endpoint_that_is_no_address_is_refused_and_its_password_not_shown() -> None:
    with pytest.raises(RequestError, match="VOXMILL_S3_ENDPOINT_URL") as caught:
        opening.open_store("s3://bucket", Settings(s3_endpoint_url="me:hunter2@host"))
    assert "hunter2" not in str(caught.value)


def test_certificates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="VOXMILL_S3_CA_BUNDLE"):
        opening.open_store("s3://bucket", Settings(s3_ca_bundle=tmp_path / "none.pem"))
