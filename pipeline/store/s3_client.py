"""The way to an S3-compatible server."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import RequestError, VoxmillError
from pipeline.settings import Settings
from pipeline.store import s3_errors
from pipeline.store.s3_errors import explained

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
#: Tries of one request before it is given up, after a quarter of a minute of waiting in between.
ATTEMPTS = 6
#: How long a server may take that is only asked whether it is there.
PROBE_TIMEOUT_S = 3
#: Requests at once.
CONNECTIONS = 32


def connect(
    settings: Settings, *, read_timeout_s: float = READ_TIMEOUT_S, attempts: int = ATTEMPTS
) -> Any:
    """Return a client; nothing is sent until it is used.

    Args:
        settings: Say where, and with which keys.
        read_timeout_s: How long the server may keep silent.
        attempts: Tries of one request before it is given up.

    Raises:
        RequestError: The settings cannot be used.
    """
    bundle = settings.s3_ca_bundle
    if bundle and not bundle.is_file():
        raise RequestError(f"{bundle}: no such file. Correct VOXMILL_S3_CA_BUNDLE.")
    try:
        return _client(settings, read_timeout_s, attempts)
    except ValueError:  # which shows the address, and there may be a password in it
        raise RequestError(
            "VOXMILL_S3_ENDPOINT_URL is no address. Give https://host:port."
        ) from None
    except BotoCoreError as error:
        raise RequestError(f"S3 cannot be used: {error}. Check AWS's own settings.") from error


def _client(settings: Settings, read_timeout_s: float, attempts: int) -> Any:
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
            read_timeout=read_timeout_s,
            # The standard mode has a budget of repetitions for the whole process. Once it is spent
            # nothing is repeated, and a server that fails half of the time would stop all work.
            retries={"mode": "legacy", "total_max_attempts": attempts},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
            # Bytes are compared with our own digest, which lies with the object.
            response_checksum_validation="when_required",
            # Links would be signed in the old way, which servers other than Amazon's refuse.
            signature_version="s3v4",
            # Other servers know a bucket by the path, not by a host name of its own.
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
        ),
    )


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
            connect(settings, read_timeout_s=PROBE_TIMEOUT_S, attempts=1).list_buckets()
    except VoxmillError:
        return False
    return True
