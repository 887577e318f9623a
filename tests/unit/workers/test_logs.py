"""Log lines say which job, shard and attempt, and never what is secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.settings import Settings
from workers import logs

ODD = 'odd "quoted" \\ and ünlike/any@other'
SECRETS: dict[str, Any] = {
    "s3_access_key_id": SecretStr("AKIA-the-key-id"),
    "s3_secret_access_key": SecretStr("very/secret+key="),
    "s3_session_token": SecretStr("session-token-of-ours"),
    "redis_url": SecretStr("rediss://someone:r3dis%2Fpass%40word@redis.internal:6380/0"),
    "broker_url": SecretStr("amqps://someone:rabbit-password@rabbit.internal:5671//"),
    "webhook_secret": SecretStr(ODD),
}
#: Whatever of these stands in a line gives something away.
TELLING = (
    "AKIA-the-key-id",
    "very/secret+key=",
    "session-token-of-ours",
    "r3dis%2Fpass%40word",
    "r3dis/pass@word",
    "rabbit-password",
    ODD,
    repr(ODD)[1:-1],
    json.dumps(ODD)[1:-1],
    json.dumps(ODD, ensure_ascii=False)[1:-1],
)

log = logging.getLogger("voxmill.test")
#: Sets logging up, and returns what has been written since.
Configure = Callable[[str], StringIO]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def configure(form: str) -> StringIO:
        written = StringIO()
        monkeypatch.setattr("sys.stderr", written)
        logs.configure(Settings(log_format=form, **SECRETS), "worker-1")  # type: ignore[arg-type]
        return written

    yield configure
    root.handlers[:] = before
    root.setLevel(level)


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("telling", TELLING)
def test_no_secret_of_the_settings_is_written(
    telling: str, form: str, configure: Configure
) -> None:
    written = configure(form)

    log.info(f"message {telling} end")
    log.info("argument %s", telling)
    with logs.about(job=f"job {telling}"):
        log.info("a fact")
    try:
        raise ValueError(telling)
    except ValueError:
        log.exception("it failed")

    said = written.getvalue()
    assert not [each for each in TELLING if each in said]
    assert said.count(logs.BLOT) >= 4
    if form == "json":
        assert all(telling not in json.dumps(line, ensure_ascii=False) for line in lines(written))


def test_every_secret_setting_is_known_to_be_one() -> None:
    given = set(logs.secrets(Settings(**SECRETS)))
    secret = [
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    ]

    assert sorted(secret) == sorted(SECRETS), "give the new one a value above"
    assert set(TELLING) <= given


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("line", "telling"),
    [
        ("see https://user:hunter2-and@host/x", "hunter2"),
        ("see redis://:hunter2-and@host/x", "hunter2"),
        ("see https://hunter2-token@host/x", "hunter2"),
        ("GET /b/k?X-Amz-Credential=AKIAX%2F2&X-Amz-Signature=abcdef HTTP/1.1", "abcdef"),
        ("GET /b/k?X-Amz-Credential=AKIAX%2F2&X-Amz-Signature=abcdef HTTP/1.1", "AKIAX"),
        ("GET /b/k?x-amz-security-token=FwoG&a=1", "FwoG"),
        ('Authorization: AWS4-HMAC-SHA256 Credential="AKIAX"', "AKIAX"),
    ],
)
def test_what_looks_like_a_credential_is_blotted_out(
    line: str, telling: str, form: str, configure: Configure
) -> None:
    written = configure(form)

    log.warning("%s", line)

    assert telling not in written.getvalue()
    assert logs.BLOT in written.getvalue()
    if form == "json":
        (said,) = lines(written)
        assert said["level"] == "warning"


def test_addresses_without_secrets_stay_as_they_are(configure: Configure) -> None:
    written = configure("text")

    log.info("s3://bucket/books/me@home and https://example.org/a:b@c?x=1 and 127.0.0.1:6379")

    said = written.getvalue()
    assert "s3://bucket/books/me@home" in said
    assert "https://example.org/a:b@c?x=1" in said
    assert "127.0.0.1:6379" in said


def test_a_json_line_says_which_job_shard_and_attempt(configure: Configure) -> None:
    written = configure("json")

    with logs.about(job="acme/tide", shard="0003", stage="synth"):
        with logs.about(attempt=2):
            log.info("the lamp was\nlit: %s", "ü")
        log.info("after")
    log.info("outside")

    inside, after, outside = lines(written)
    assert inside["time"].endswith("+00:00")
    assert {**inside, "time": 0} == {
        "time": 0,
        "level": "info",
        "process": "worker-1",
        "message": "the lamp was\nlit: ü",
        "job": "acme/tide",
        "shard": "0003",
        "stage": "synth",
        "attempt": 2,
    }
    assert "attempt" not in after
    assert set(outside) == {"time", "level", "process", "message"}


def test_a_json_line_holds_its_traceback(configure: Configure) -> None:
    written = configure("json")

    try:
        raise ValueError("of this kind")
    except ValueError:
        log.exception("it failed")

    (line,) = lines(written)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: of this kind")


def test_a_text_line_ends_with_what_it_is_about(configure: Configure) -> None:
    written = configure("text")

    with logs.about(job="tide", shard="", attempt=1):
        log.warning("put off")

    assert written.getvalue().endswith(" warning put off [job=tide attempt=1]\n")


def test_libraries_are_heard_only_when_they_warn(configure: Configure) -> None:
    written = configure("text")

    logging.getLogger("botocore.auth").info("StringToSign: …")
    logging.getLogger("botocore.auth").warning("odd")

    assert "StringToSign" not in written.getvalue()
    assert "odd" in written.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_within_other_arguments_is_blotted_out(form: str, configure: Configure) -> None:
    written = configure(form)

    for secret in SECRETS.values():
        log.info("asked with %r", {"headers": [secret.get_secret_value()]})

    said = written.getvalue()
    assert not [each for each in TELLING if each in said]
    assert said.count(logs.BLOT) >= len(SECRETS)
