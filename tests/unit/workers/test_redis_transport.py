"""A Redis that refuses ends no worker, and leaves none waiting for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from pipeline.settings import Settings
from workers import app, broker


@pytest.fixture
def client(redis_url: SecretStr) -> Iterator[redis.Redis]:
    one = redis.Redis.from_url(redis_url.get_secret_value())
    yield one
    one.config_set("maxmemory", "0")


@pytest.fixture
def connection(redis_url: SecretStr) -> Iterator[Any]:
    with app.create(Settings(redis_url=redis_url)).connection_for_read() as one:
        yield one


def test_the_next_message_is_taken_though_the_last_could_not_be_acknowledged(
    connection: Any, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = connection.SimpleQueue("test.refusing")
    inbox.channel.basic_qos(0, 1, False)
    inbox.put({"n": 1})
    inbox.put({"n": 2})
    first = inbox.get(timeout=5)
    client.config_set("maxmemory", "1")
    first.ack()
    assert "could not be acknowledged: OutOfMemoryError" in caplog.text
    client.config_set("maxmemory", "0")
    assert inbox.get(timeout=5).payload == {"n": 2}


def test_a_refusal_counts_as_a_lost_connection(connection: Any, client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")
    with pytest.raises(broker.ERRORS) as caught:
        connection.SimpleQueue("test.refusing").put({"n": 1})
    assert isinstance(caught.value.__cause__ or caught.value, connection.connection_errors)
