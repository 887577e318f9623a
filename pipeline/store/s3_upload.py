"""A large file into a bucket in parts: bounded memory, each part checked on arrival."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PART_BYTES = 16_000_000
#: No upload may have more; larger files get larger parts.
MAX_PARTS = 10_000


def upload(client: Any, path: Path, facts: Mapping[str, Any]) -> None:
    """Upload a file; it becomes an object with the last request, unless there is one by then.

    Args:
        client: Of boto3.
        path: The file.
        facts: Bucket, key, content type and metadata.

    Raises:
        ClientError: A request was refused; nothing is left of the upload.
    """
    target = {name: facts[name] for name in ("Bucket", "Key")}
    started = client.create_multipart_upload(**facts, ChecksumAlgorithm="SHA256")
    target["UploadId"] = started["UploadId"]
    try:
        parts = [
            _part(client, target, number, data)
            for number, data in enumerate(_pieces(path), start=1)
        ]
        client.complete_multipart_upload(
            **target, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )
    except BaseException:
        with suppress(ClientError, BotoCoreError):
            client.abort_multipart_upload(**target)
        raise


def abort_all(client: Any, bucket: str, prefix: str) -> None:
    """End the uploads that were begun below a prefix, by whomever, where that is allowed.

    A bucket's rule for incomplete uploads ends them too, so it is no fault when this cannot.
    """
    with suppress(ClientError, BotoCoreError):
        found = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
        for begun in found.get("Uploads", []):
            if begun["Key"].startswith(prefix):
                client.abort_multipart_upload(
                    Bucket=bucket, Key=begun["Key"], UploadId=begun["UploadId"]
                )


def _pieces(path: Path) -> Iterator[bytes]:
    size = max(PART_BYTES, -(-path.stat().st_size // MAX_PARTS))
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def _part(client: Any, target: Mapping[str, str], number: int, data: bytes) -> dict[str, Any]:
    checksum = b64encode(hashlib.sha256(data).digest()).decode()
    answer = client.upload_part(**target, PartNumber=number, Body=data, ChecksumSHA256=checksum)
    return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}
