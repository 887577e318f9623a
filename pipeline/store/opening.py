"""From an address to a store: `s3://bucket/prefix`, or a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from pipeline.errors import MissingToolError, RequestError
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, and what the names of objects begin with."""

    bucket: str
    prefix: str


def open_store(url: str, settings: Settings) -> ObjectStore:
    """Return the store at an address; nothing is sent yet.

    Args:
        url: `s3://bucket/prefix`, or a folder.
        settings: Of this machine.

    Raises:
        RequestError: That is no address of a store.
        MissingToolError: boto3 is not installed.
    """
    if is_s3(url):
        address = parse(url)
        if util.find_spec("boto3") is None:
            raise MissingToolError("S3 needs boto3. Install with: pip install 'voxmill[queue]'")
        from pipeline.store import s3, s3_client  # noqa: PLC0415 - a second of importing

        return s3.S3Store(address.bucket, address.prefix, s3_client.connect(settings))
    if "://" in url or not url:
        raise RequestError(f"{url!r} is no store. Give s3://bucket/prefix, or a folder.")
    return LocalStore(Path(url).expanduser().absolute(), elsewhere="with VOXMILL_STORE_URL")


def is_s3(url: str) -> bool:
    """Tell whether an address is in a bucket."""
    return url.startswith("s3://")


def parse(url: str) -> S3Address:
    """Read `s3://bucket/prefix`.

    Raises:
        RequestError: There is no bucket in it, or the prefix leads elsewhere.
    """
    bucket, _, path = url.removeprefix("s3://").partition("/")
    prefix = path.strip("/")
    if not is_s3(url) or not _BUCKET.fullmatch(bucket):
        raise RequestError(f"{url!r} names no bucket. Give s3://bucket/prefix.")
    pieces = prefix.split("/") if prefix else []
    if any(piece in ("", ".", "..") or not piece.isprintable() for piece in pieces):
        raise RequestError(
            f"{url!r}: the prefix may have no empty part, '.', '..' or control character."
        )
    return S3Address(bucket, prefix)


def require_bucket(url: str, settings: Settings) -> None:
    """Refuse a bucket that may not be used.

    Raises:
        RequestError: It is not among VOXMILL_ALLOWED_BUCKETS.
    """
    if not is_s3(url) or not settings.allowed_buckets:
        return
    bucket = parse(url).bucket
    own = parse(settings.store_url).bucket if is_s3(settings.store_url) else None
    if bucket != own and bucket not in settings.allowed_buckets:
        known = ", ".join(settings.allowed_buckets)
        raise RequestError(
            f"{url}: this bucket may not be used; those of VOXMILL_ALLOWED_BUCKETS may: {known}."
        )
