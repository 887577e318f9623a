"""`voxmill queues` and the depths it shows, with a real broker."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from celery import Celery
from kombu.connection import Connection
from pydantic import SecretStr
from typer.testing import CliRunner

from pipeline.errors import TransientError
from pipeline.manifest.message import STAGES
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from producer.cli.app import app as voxmill
from workers import app, depths
from workers.cli import queues
from workers.ledger import Item, Ledger
from workers.sending import Sender

Admit = Callable[..., JobRef]


@pytest.fixture
def celery(redis_url: SecretStr, ledger: Ledger) -> Celery:
    return app.create(Settings(redis_url=redis_url))


def test_messages_are_counted_by_stage_and_priority(
    celery: Celery, ledger: Ledger, admit: Admit
) -> None:
    assert set(depths.depths(celery).values()) == {0}
    sender = Sender(celery, ledger)
    job = admit("book")
    sender.send("check", Item(job, "0000"), "high")
    for shard in ("0001", "0002"):
        sender.send("synth", Item(job, shard), "low")
    waiting = {lane: n for lane, n in depths.depths(celery).items() if n}
    assert waiting == {("check", "high"): 1, ("synth", "low"): 2}


def test_a_queue_that_nobody_has_made_holds_nothing() -> None:
    with Connection("memory://") as connection:
        assert depths.declared(connection, "voxmill.1.synth") == 0
        connection.SimpleQueue("voxmill.1.synth").put({})
        assert depths.declared(connection, "voxmill.1.synth") == 1


@pytest.fixture
def under_way(
    celery: Celery,
    ledger: Ledger,
    admit: Admit,
    redis_url: SecretStr,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VOXMILL_REDIS_URL", redis_url.get_secret_value())
    admit("acme:book", 5)
    ledger.here("gpu-1", ["synth"], 60)
    Sender(celery, ledger).dispatch()
    first = ledger.queued("synth", Item(JobRef("acme", "book"), "0000"), "normal")
    ledger.begin("synth", Item(JobRef("acme", "book"), "0000"), "normal", first, "task@gpu-1", 60)


@pytest.mark.usefixtures("under_way")
def test_what_is_under_way_is_told_to_programs() -> None:
    ran = CliRunner().invoke(voxmill, ["queues", "--json"])
    assert ran.exit_code == 0, ran.output
    seen = json.loads(ran.stdout)
    assert [row["stage"] for row in seen["stages"]] == list(STAGES)
    synth = seen["stages"][0]
    assert synth["messages"] == {"high": 0, "normal": 2, "low": 0}
    assert (synth["published"], synth["leased"], synth["workers"]) == (1, 1, 1)
    assert seen["jobs"] == [{"job": "acme:book", "pending": 3}]
    (lease,) = seen["leases"]
    assert (lease["job"], lease["shard"], lease["owner"]) == ("acme:book", "0000", "task@gpu-1")
    assert seen["workers"] == [{"name": "gpu-1", "stages": ["synth"]}]


@pytest.mark.usefixtures("under_way")
def test_what_is_under_way_is_shown_to_people() -> None:
    ran = CliRunner().invoke(voxmill, ["queues"])
    assert ran.exit_code == 0, ran.output
    lines = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    assert "stage waiting (high/normal/low) published leased oldest workers" in lines
    assert "acme:book 3" in lines
    assert any("task@gpu-1" in line for line in lines)


def test_a_broker_that_is_away_is_named_without_its_password(redis_url: SecretStr) -> None:
    settings = Settings(
        redis_url=redis_url, broker_url=SecretStr("amqp://worker:open-sesame@127.0.0.1:9/")
    )
    with pytest.raises(TransientError, match=r"The broker at 127\.0\.0\.1") as caught:
        queues.look(settings)
    assert "open-sesame" not in f"{caught.value!r} {caught.value.__cause__!r}"
