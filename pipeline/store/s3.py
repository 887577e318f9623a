"""Objects in a bucket of an S3-compatible server.

Two properties carry the queue: an object is written whole or not at all, and of several who write
an object "unless it is there" exactly one succeeds (`If-None-Match: *`). `probe` proves both.
"""

from __future__ import annotations

import hashlib
import logging
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from pipeline.errors import StoreUnavailableError, VoxmillError
from pipeline.settings import Settings
from pipeline.store import s3_errors, s3_upload
from pipeline.store.protocol import Stat
from pipeline.store.s3_errors import MISSING, RACING, TAKEN, explained

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
#: Tries of one request before it is given up.
ATTEMPTS = 5
#: Requests at once.
CONNECTIONS = 32
#: Files from here on are uploaded in parts.
MULTIPART_BYTES = 64_000_000
#: Pause before the first repetition of a conditional write, doubled each time.
PAUSE_S = 0.1
DIGEST = "sha256"


def connect(settings: Settings) -> Any:
    """Return a client; nothing is sent until it is used."""

    def shown(secret: Any) -> str | None:
        return secret.get_secret_value() if secret else None

    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=shown(settings.s3_access_key_id),
        aws_secret_access_key=shown(settings.s3_secret_access_key),
        aws_session_token=shown(settings.s3_session_token),
        verify=str(settings.s3_ca_bundle) if settings.s3_ca_bundle else None,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
            # Links would be signed in the old way, which servers other than Amazon's refuse.
            signature_version="s3v4",
            # Other servers know a bucket by the path, not by a host name of its own.
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
        ),
    )


@dataclass(frozen=True)
class S3Store:
    """Named objects below a prefix of a bucket.

    Args:
        bucket: Its name.
        prefix: "" or a prefix without "/" at its ends.
        client: Of boto3; shared by threads.
    """

    bucket: str
    prefix: str
    client: Any = field(repr=False)

    def place(self, name: str) -> str:
        """Return the object's address, for messages."""
        return f"s3://{self.bucket}/{self._key(name)}"

    def below(self, prefix: str) -> S3Store:
        """Return the store of what lies below `prefix/`."""
        return S3Store(self.bucket, self._key(prefix), self.client)

    def get(self, name: str) -> bytes | None:
        """Return the object, or None when there is none.

        Bytes that arrive damaged are read again. If they stay so, they lie damaged in the store,
        and who asked must see it by their digest.
        """

        def read() -> bytes:
            answer = self.client.get_object(Bucket=self.bucket, Key=self._key(name))
            data: bytes = answer["Body"].read()
            _require_whole(data, answer, self.place(name))
            return data

        try:
            return self._patiently(name, read)
        except _MissingError:
            return None
        except _DamagedError as error:
            log.warning("%s", error)
            return error.data

    def exists(self, name: str) -> bool:
        """Tell whether the object is there."""
        return self._head(name) is not None

    def stat(self, name: str) -> Stat | None:
        """Return what is known of the object, or None when there is none."""
        found = self._head(name)
        if found is None:
            return None
        digest = found.get("Metadata", {}).get(DIGEST)
        return Stat(int(found["ContentLength"]), digest, str(found.get("ContentType", "")))

    def put(self, name: str, data: bytes) -> None:
        """Write the object, replacing an older one."""
        self._patiently(name, lambda: self.client.put_object(**self._body(name, data)))

    def put_new(self, name: str, data: bytes) -> bool:
        """Write the object unless it is there; tell whether its bytes are this call's."""
        body = self._body(name, data)
        return self._created(
            name,
            lambda: self.client.put_object(**body, IfNoneMatch="*"),
            body["Metadata"][DIGEST],
        )

    def put_file(
        self, name: str, path: Path, *, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Write a file's bytes unless the object is there; large ones go in parts."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        facts = {
            "Bucket": self.bucket,
            "Key": self._key(name),
            "ContentType": content_type,
            "Metadata": {**metadata, DIGEST: digest},
        }
        if path.stat().st_size >= MULTIPART_BYTES:
            return self._created(name, lambda: s3_upload.upload(self.client, path, facts), digest)

        def upload() -> None:
            data = path.read_bytes()
            self.client.put_object(
                **facts, Body=data, ChecksumSHA256=_checksum(data), IfNoneMatch="*"
            )

        return self._created(name, upload, digest)

    def delete(self, name: str) -> None:
        """Remove the object if it is there."""
        self._patiently(
            name, lambda: self.client.delete_object(Bucket=self.bucket, Key=self._key(name))
        )

    def delete_all(self, prefix: str) -> None:
        """Remove every object below `prefix/`."""
        names = list(self.names(prefix))
        for i in range(0, len(names), 1000):
            objects = [{"Key": self._key(name)} for name in names[i : i + 1000]]
            self._patiently(prefix, partial(self._delete, objects))

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of all objects below `prefix/`, in order, 1,000 a request."""
        cut = len(self.prefix) + 1 if self.prefix else 0
        for page in self._pages(prefix):
            for found in page.get("Contents", []):
                yield str(found["Key"])[cut:]

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the last part of each prefix right below `prefix/`, in order."""
        for page in self._pages(prefix, Delimiter="/"):
            for found in page.get("CommonPrefixes", []):
                yield str(found["Prefix"]).rstrip("/").rpartition("/")[2]

    def link(self, name: str, expires_s: int) -> str:
        """Return an address that a browser can open until it expires."""
        file_name = name.rpartition("/")[2].replace('"', "'")
        ascii_name = file_name.encode("ascii", "replace").decode().replace("?", "_")
        with explained(self.place(name)):
            return str(
                self.client.generate_presigned_url(
                    "get_object",
                    Params={
                        "Bucket": self.bucket,
                        "Key": self._key(name),
                        "ResponseContentDisposition": f'inline; filename="{ascii_name}"',
                    },
                    ExpiresIn=expires_s,
                )
            )

    def _key(self, name: str) -> str:
        parts = name.split("/")
        assert all(part not in ("", ".", "..") for part in parts), f"not an object name: {name}"
        return f"{self.prefix}/{name}" if self.prefix else name

    def _body(self, name: str, data: bytes) -> dict[str, Any]:
        return {
            "Bucket": self.bucket,
            "Key": self._key(name),
            "Body": data,
            "ChecksumSHA256": _checksum(data),
            "Metadata": {DIGEST: hashlib.sha256(data).hexdigest()},
        }

    def _head(self, name: str) -> dict[str, Any] | None:
        try:
            return self._patiently(
                name,
                lambda: dict(self.client.head_object(Bucket=self.bucket, Key=self._key(name))),
            )
        except _MissingError:
            return None

    def _delete(self, objects: list[dict[str, str]]) -> None:
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})
        for refused in answer.get("Errors", []):
            raise StoreUnavailableError(
                f"s3://{self.bucket}/{refused['Key']} was not removed: {refused['Code']}."
            )

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        place = f"{self._key(prefix)}/"
        token: dict[str, str] = {}
        while True:
            page: dict[str, Any] = self._patiently(
                prefix,
                partial(
                    self.client.list_objects_v2,
                    Bucket=self.bucket,
                    Prefix=place,
                    **options,
                    **token,
                ),
            )
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _created(self, name: str, write: Callable[[], Any], digest: str) -> bool:
        """Make a conditional write, and find out whose bytes are there when it is refused.

        An answer that got lost may have been a success. So a refusal means ours when the bytes
        are ours.
        """
        for attempt in range(ATTEMPTS):
            try:
                with explained(self.place(name)):
                    try:
                        write()
                        return True
                    except ClientError as error:
                        if s3_errors.code(error) not in TAKEN | RACING:
                            raise
                        standing = self.stat(name)
                        if standing is not None:
                            return standing.sha256 == digest
            except StoreUnavailableError:
                if attempt + 1 == ATTEMPTS:
                    raise
            time.sleep(PAUSE_S * 2**attempt)
        raise StoreUnavailableError(
            f"{self.place(name)}: others keep writing it at the same time. Try again."
        )

    def _patiently(self, name: str, ask: Callable[[], Answer]) -> Answer:
        """Send a request; boto3 repeats what fails on the way, this what arrives damaged."""
        for attempt in range(ATTEMPTS):
            try:
                with explained(self.place(name) if name else f"s3://{self.bucket}"):
                    return ask()
            except StoreUnavailableError as error:
                if isinstance(error.__cause__, ClientError):
                    if s3_errors.code(error.__cause__) in MISSING:
                        raise _MissingError from error
                    raise
                if attempt + 1 == ATTEMPTS:
                    raise
            time.sleep(PAUSE_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


class _MissingError(Exception):
    """There is no such object."""


class _DamagedError(StoreUnavailableError):
    """Bytes are not those that were written."""

    def __init__(self, message: str, data: bytes) -> None:
        super().__init__(message)
        self.data = data


def _require_whole(data: bytes, answer: Mapping[str, Any], place: str) -> None:
    """Refuse bytes that were cut or changed on the way.

    Raises:
        _DamagedError: They are not what was written.
    """
    digest = answer.get("Metadata", {}).get(DIGEST)
    is_cut = len(data) != answer["ContentLength"]
    if is_cut or (digest and hashlib.sha256(data).hexdigest() != digest):
        raise _DamagedError(f"{place} arrived damaged. Try again.", data)


def _checksum(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode()


def make_bucket(bucket: str, settings: Settings) -> None:
    """Make a bucket unless it is there."""
    client = connect(settings)
    with explained(f"s3://{bucket}"):
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if s3_errors.status(error) != 404:
                raise
            client.create_bucket(Bucket=bucket)


def answers(settings: Settings) -> bool:
    """Tell whether the server answers now, and knows us."""
    try:
        with explained("s3"):
            connect(settings).list_buckets()
    except VoxmillError:
        return False
    return True
