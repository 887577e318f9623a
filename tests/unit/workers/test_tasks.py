"""What a task does with messages that are not for it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery
from pydantic import SecretStr

from pipeline.manifest.message import Message
from pipeline.settings import Settings
from workers import app as apps
from workers import attempt
from workers.tasks import StageTask, synth


def unwanted(_attempt: attempt.Attempt) -> None:
    raise AssertionError("it must not be worked at")


@pytest.fixture
def broker(redis_url: SecretStr) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url.get_secret_value(), decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def task(redis_url: SecretStr) -> Iterator[StageTask]:
    app: Celery = apps.create(Settings(redis_url=redis_url))

    registered: StageTask = app.tasks[synth.name]
    yield registered
    app.close()


def test_a_newer_message_is_left_whole_in_the_queue_of_newer_workers(
    task: StageTask, broker: redis.Redis
) -> None:
    fields = {"v": 2, "job": "tide", "chunks": [1, 2], "what": "nobody here knows"}

    task.perform("synth", fields, unwanted)

    (left,) = broker.lrange("voxmill.2.synth", 0, -1)
    message = json.loads(left)
    assert message["headers"]["task"] == "voxmill.synth"
    assert json.loads(b64decode(message["body"]))[1] == fields
    assert not broker.exists("voxmill.1.synth")


@pytest.mark.parametrize(
    "fields", [{}, {"v": 0, "job": "a"}, {"v": "2", "job": "a"}, {"job": "../a", "x": 1}]
)
def test_what_is_no_message_is_dropped_with_a_line(
    fields: dict[str, Any], task: StageTask, broker: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    task.perform("synth", fields, unwanted)

    assert "not a message" in caplog.text
    assert not broker.keys("voxmill*")


def test_our_own_message_is_read_back_as_it_was() -> None:
    message = Message(tenant="acme", job="tide", shard="0003a", priority="high", at=12.5)

    assert Message.model_validate(json.loads(json.dumps(message.fields()))) == message
