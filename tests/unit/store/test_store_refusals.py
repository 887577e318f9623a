"""What a server's refusals become."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from pipeline.errors import StorageError, StoreUnavailableError
from pipeline.store import s3_errors


def refusal(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # type: ignore[arg-type, unused-ignore]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalError", 500),
        ("ServiceUnavailable", 503),
        ("SlowDown", 503),
        ("RequestTimeout", 400),
        ("ExpiredToken", 400),
        ("RequestTimeTooSkewed", 403),
        ("BadDigest", 400),
        ("", 502),
    ],
)
def test_what_may_pass_is_tried_again(code: str, status: int) -> None:
    found = s3_errors.explain(refusal(code, status), "s3://bucket/a")
    assert isinstance(found, StoreUnavailableError)
    assert str(found).startswith("s3://bucket/a")


@pytest.mark.parametrize("code", sorted(s3_errors.DENIED))
def test_what_a_person_must_mend_is_not(code: str) -> None:
    found = s3_errors.explain(refusal(code, 403), "s3://bucket/a")
    assert isinstance(found, StorageError)
    assert str(found).startswith("s3://bucket/a")


def test_an_answer_without_a_name_is_told_by_its_number_once() -> None:
    assert "answers 500. Try" in str(s3_errors.explain(refusal("500", 500), "s3://bucket/a"))
    assert "answers 500 InternalError." in str(
        s3_errors.explain(refusal("InternalError", 500), "s3://bucket/a")
    )


def test_a_server_that_cannot_be_reached_is_tried_again_and_its_address_not_shown() -> None:
    url = "http://user:hunter2@host:1"
    with pytest.raises(StoreUnavailableError) as caught, s3_errors.explained("s3://bucket"):
        raise EndpointConnectionError(endpoint_url=url)
    assert "hunter2" not in str(caught.value)
    assert "VOXMILL_S3_ENDPOINT_URL" in str(caught.value)


def test_without_credentials_it_is_said_where_they_belong() -> None:
    named = pytest.raises(StorageError, match="VOXMILL_S3_SECRET_ACCESS_KEY")
    with named, s3_errors.explained("s3://bucket"):
        raise NoCredentialsError
