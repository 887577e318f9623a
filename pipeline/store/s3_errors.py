"""What an S3 server or the way to it refuses, as errors that name the bucket and the remedy.

Which class an error has decides whether work is tried again: what passes by itself, and what only
this worker lacks, is `StoreUnavailableError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from pipeline.errors import StorageError, StoreUnavailableError, VoxmillError

#: There is no such object.
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
#: Someone was first.
TAKEN = frozenset({"PreconditionFailed", "412"})
#: Someone is at it at this moment; an upload that is gone may have been completed, by a request
#: whose answer got lost.
RACING = frozenset({"ConditionalRequestConflict", "OperationAborted", "409", "NoSuchUpload"})
#: What a refusal without a body, as HEAD gets, does not tell apart: no right, no time left.
UNNAMED = frozenset({"400", "403"})
#: The answer depends on what a person does.
DENIED = {
    "AccessDenied": "may not be used with these credentials. Check VOXMILL_S3_ACCESS_KEY_ID and "
    "the bucket's policy.",
    "403": "may not be used with these credentials. Check VOXMILL_S3_ACCESS_KEY_ID and the "
    "bucket's policy.",
    "InvalidAccessKeyId": "does not know the access key. Check VOXMILL_S3_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "does not accept the secret key. Check VOXMILL_S3_SECRET_ACCESS_KEY.",
    "NoSuchBucket": "does not exist. Create the bucket, or name another.",
    "InvalidBucketName": "is no name of a bucket.",
    "NotImplemented": "does not know a request that Voxmill needs. See: voxmill store check",
}
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn what boto3 raises into errors for people.

    Args:
        place: The bucket or object that is used: `s3://bucket/prefix`.
    """
    try:
        yield
    except ClientError as error:
        raise explain(error, place) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageError(
            f"{place}: there are no credentials. Set VOXMILL_S3_ACCESS_KEY_ID and "
            "VOXMILL_S3_SECRET_ACCESS_KEY."
        ) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(
            f"{place} cannot be reached ({type(error).__name__}). Is the server running, and is "
            "VOXMILL_S3_ENDPOINT_URL right?"
        ) from error


def code(error: ClientError) -> str:
    """Return the server's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status(error: ClientError) -> int:
    """Return the HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def explain(error: ClientError, place: str) -> VoxmillError:
    """Return the error to show for a server's refusal."""
    name = code(error)
    if name in DENIED:
        return StorageError(f"{place} {DENIED[name]}")
    if name in EXPIRED:
        return StoreUnavailableError(
            f"{place}: the credentials have expired. Renew VOXMILL_S3_SESSION_TOKEN and its keys."
        )
    if name == "RequestTimeTooSkewed":
        return StoreUnavailableError(f"{place}: this machine's clock is wrong. Set it.")
    what = name if name == str(status(error)) else f"{status(error)} {name}".strip()
    return StoreUnavailableError(f"{place} answers {what}. Try again.")
