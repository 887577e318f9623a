"""Who receives a webhook can tell that we sent it, and when."""

from __future__ import annotations

import pytest

from pipeline.web import signature

BODY, SECRET, NOW_S = b'{"job": "tide"}', "a secret between us", 1_800_000_000


def test_what_was_signed_is_valid_until_it_is_old() -> None:
    header = signature.sign(BODY, SECRET, NOW_S)

    assert signature.is_valid(header, BODY, SECRET, NOW_S)
    assert signature.is_valid(header, BODY, SECRET, NOW_S + signature.TOLERANCE_S)
    assert not signature.is_valid(header, BODY, SECRET, NOW_S + signature.TOLERANCE_S + 1)
    assert not signature.is_valid(header, BODY, SECRET, NOW_S - signature.TOLERANCE_S - 1)


def test_the_scheme_is_the_one_that_is_described() -> None:
    # From: printf '1800000000.{"job": "tide"}' | openssl dgst -sha256 -hmac 'a secret between us'
    digest = "c298b92d7c4e4daf3c9290fbd0deccd8397c2e80db60de326f40050cca3a536f"
    assert signature.sign(BODY, SECRET, NOW_S) == f"t=1800000000,v1={digest}"


@pytest.mark.parametrize("body", [b'{"job": "tidf"}', b"", BODY + b" "])
def test_another_body_is_not_valid(body: bytes) -> None:
    assert not signature.is_valid(signature.sign(BODY, SECRET, NOW_S), body, SECRET, NOW_S)


def test_another_secret_or_another_time_is_not_valid() -> None:
    header = signature.sign(BODY, SECRET, NOW_S)

    assert not signature.is_valid(header, BODY, "another", NOW_S)
    assert not signature.is_valid(header.replace("t=18", "t=19"), BODY, SECRET, 1_900_000_000)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1800000000",
        "v1=00",
        "t=,v1=",
        "t=²,v1=00",
        "t=-1,v1=00",
        f"t={'9' * 6000},v1=00",
        "t=1800000000,v1=é",
        "nonsense",
    ],
)
def test_what_is_no_signature_is_not_valid(header: str) -> None:
    assert not signature.is_valid(header, BODY, SECRET, NOW_S)
