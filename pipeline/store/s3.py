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
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import StoreUnavailableError
from pipeline.store import s3_errors, s3_upload
from pipeline.store.protocol import Stat
from pipeline.store.s3_errors import MISSING, RACING, TAKEN, explained

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Tries of what boto3 does not repeat: bytes that arrive damaged, writes that get in each other's
#: way.
ATTEMPTS = 5
#: Files from here on are uploaded in parts.
MULTIPART_BYTES = 64_000_000
#: Pause before the first repetition by us, doubled each time.
PAUSE_S = 0.1
DIGEST = "sha256"


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
        for attempt in range(ATTEMPTS):
            time.sleep(PAUSE_S * 2 ** (attempt - 1) if attempt else 0.0)
            try:
                return self._found(name, lambda: self._read(name))
            except _DamagedError as error:
                damaged = error
        if damaged.data is None:
            raise damaged
        log.warning("%s", damaged)
        return damaged.data

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
        with explained(self.place(name)):
            self.client.put_object(**self._body(name, data))

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
        with explained(self.place(name)):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def delete_all(self, prefix: str) -> None:
        """Remove every object below `prefix/`, and the parts of uploads that never ended."""
        names = list(self.names(prefix))
        with explained(self.place(prefix)):
            for i in range(0, len(names), 1000):
                self._delete(names[i : i + 1000])
            s3_upload.abort_all(self.client, self.bucket, f"{self._key(prefix)}/")

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of all objects below `prefix/`, those of one folder in order."""
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
        with explained(self.place(name)):
            return str(
                self.client.generate_presigned_url(
                    "get_object",
                    Params={
                        "Bucket": self.bucket,
                        "Key": self._key(name),
                        "ResponseContentDisposition": _disposition(name.rpartition("/")[2]),
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
        place = {"Bucket": self.bucket, "Key": self._key(name)}

        def head() -> dict[str, Any]:
            try:
                return dict(self.client.head_object(**place))
            except ClientError as error:
                if s3_errors.code(error) in s3_errors.UNNAMED:
                    self.client.get_object(**place, Range="bytes=0-0")  # raises what it is
                raise

        return self._found(name, head)

    def _read(self, name: str) -> bytes:
        answer = self.client.get_object(Bucket=self.bucket, Key=self._key(name))
        try:
            data: bytes = answer["Body"].read()
        except BotoCoreError as error:
            raise _DamagedError(f"{self.place(name)}: the answer broke off. Try again.") from error
        digest = answer.get("Metadata", {}).get(DIGEST)
        if digest and hashlib.sha256(data).hexdigest() != digest:
            raise _DamagedError(f"{self.place(name)} arrived damaged. Try again.", data)
        return data

    def _delete(self, names: list[str]) -> None:
        objects = [{"Key": self._key(name)} for name in names]
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})
        for refused in answer.get("Errors", []):
            raise StoreUnavailableError(
                f"s3://{self.bucket}/{refused['Key']} was not removed: {refused['Code']}."
            )

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        place = f"{self._key(prefix)}/"
        token: dict[str, str] = {}
        while True:
            with explained(self.place(prefix)):
                page: dict[str, Any] = self.client.list_objects_v2(
                    Bucket=self.bucket, Prefix=place, **options, **token
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
            time.sleep(PAUSE_S * 2 ** (attempt - 1) if attempt else 0.0)
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
        raise StoreUnavailableError(
            f"{self.place(name)}: others keep writing it at the same time. Try again."
        )

    def _found(self, name: str, ask: Callable[[], Answer]) -> Answer | None:
        """Ask for an object; None means that there is none."""
        with explained(self.place(name)):
            try:
                return ask()
            except ClientError as error:
                if s3_errors.code(error) not in MISSING:
                    raise
                return None


class _DamagedError(StoreUnavailableError):
    """Bytes are not those that were written; None where not all of them arrived."""

    def __init__(self, message: str, data: bytes | None = None) -> None:
        super().__init__(message)
        self.data = data


def _disposition(file_name: str) -> str:
    """Return the header that names a file, for old browsers in ASCII."""
    plain = file_name.encode("ascii", "replace").decode()
    for bad in '?"\\':
        plain = plain.replace(bad, "_")
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def _checksum(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode()
