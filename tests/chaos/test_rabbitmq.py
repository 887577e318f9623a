"""The whole system with RabbitMQ for the messages, where that is installed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from farm import SHARD, Farm, Job, farming, text
from pydantic import SecretStr
from rabbit_server import Rabbit, program, rabbit
from servers import Child, eventually

from pipeline.manifest.ref import JobRef
from producer.queue import hint
from workers import app, depths
from workers.cli import queues
from workers.ledger.scripts import key

pytestmark = pytest.mark.skipif(
    program("rabbitmq-server") is None,
    reason="no RabbitMQ is installed here (apt-get install rabbitmq-server)",
)

COST_S = 0.2


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    with rabbit(tmp_path_factory.mktemp("broker") / "rabbit") as server:
        yield server


@pytest.fixture(scope="module")
def running(broker: Rabbit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    environment = {"VOXMILL_BROKER_URL": broker.url}
    with farming(tmp_path_factory.mktemp("farm"), environment=environment) as farm:
        yield farm


def holder(farm: Farm, pid: int) -> Child:
    """Return the worker that a pool child belongs to."""
    return next(each for each in farm.workers if each.is_running and pid in each.children())


def settled(farm: Farm, job: Job) -> None:
    """Wait for a job's end; its files are those of an undisturbed render."""
    farm.await_end(job)
    farm.require_invariants(job)


def test_a_book_is_the_same_byte_for_byte_as_that_of_a_render(farm: Farm) -> None:
    job = farm.submit(text(20, "rabbit"), cost_s=0.05)
    settled(farm, job)
    assert len(farm.log(job.text)) == job.request.n_chunks
    assert not farm.redis.client.keys("voxmill.1.*"), "no message went over Redis"


def test_the_queues_of_work_are_quorum_queues_and_there_are_no_others(
    farm: Farm, broker: Rabbit
) -> None:
    rows = broker.tell("list_queues", "name", "type").splitlines()
    quorum = {name for name, kind in (row.split() for row in rows) if kind == "quorum"}
    assert quorum == {f"voxmill.1.{stage}" for stage in ("synth", "check", "finalize")}


def test_a_book_is_whole_though_its_worker_is_killed_in_the_middle_of_a_shard(farm: Farm) -> None:
    job = farm.submit(text(20, "killed"), cost_s=COST_S)
    farm.await_begun(job, 3)
    holder(farm, farm.log(job.text)[-1].pid).kill()
    settled(farm, job)
    assert len(farm.log(job.text)) - job.request.n_chunks <= SHARD


def test_the_next_life_of_a_killed_worker_is_another_attempt(farm: Farm) -> None:
    for worker in farm.workers:
        worker.kill()
    alone = farm.workers[0]
    alone.environment = {
        **farm.environment,
        "VOXMILL_LEASE_S": "20",
    }  # longer than it takes to start
    alone.start()
    job = farm.submit(text(SHARD - 1, "lives"), cost_s=1.0)
    farm.await_begun(job)
    first = farm.log(job.text)[0].pid
    alone.kill()
    alone.start()
    eventually(lambda: farm.log(job.text)[-1].pid != first, 60)
    tries = farm.redis.client.hvals(key("tries", "synth"))
    assert [int(n) for n in tries] == [2]
    settled(farm, job)


def test_a_book_is_whole_though_the_broker_is_killed_and_comes_back(
    farm: Farm, broker: Rabbit
) -> None:
    job = farm.submit(text(24, "gone"), cost_s=COST_S)
    farm.await_begun(job, 3)
    broker.kill()
    time.sleep(3)
    broker.start()
    settled(farm, job)
    assert all(each.is_running for each in farm.children), "nobody has died of it"
    assert len(farm.log(job.text)) - job.request.n_chunks <= SHARD


def test_messages_that_the_broker_has_lost_are_sent_again(farm: Farm, broker: Rabbit) -> None:
    for worker in farm.workers:
        worker.kill()
    job = farm.submit(text(12, "purged"), cost_s=0.05)
    celery = app.create(farm.settings)
    eventually(lambda: sum(depths.depths(celery).values()), 30)
    broker.tell("purge_queue", "voxmill.1.synth")
    farm.start()
    settled(farm, job)
    assert any("lost: synth" in each.log.read_text() for each in farm.reconcilers)


def test_a_hint_is_sent_and_only_while_the_broker_answers(farm: Farm, broker: Rabbit) -> None:
    assert hint.send(farm.settings, JobRef("", "a"))
    broker.pause()
    try:
        started_s = time.monotonic()
        assert not hint.send(farm.settings, JobRef("", "a"))
        assert time.monotonic() - started_s < 5 * hint.PATIENCE_S
    finally:
        broker.resume()


def test_an_account_of_the_queues_tells_of_all_messages_together(farm: Farm) -> None:
    seen = queues.look(farm.settings)
    assert [list(row["messages"]) for row in seen["stages"]] == [["all"]] * 3


def test_a_refused_password_is_told_without_it(farm: Farm, broker: Rabbit) -> None:
    url = SecretStr(broker.url.replace(":guest@", ":open-sesame@"))
    with pytest.raises(Exception, match="broker") as caught:
        queues.look(farm.settings.model_copy(update={"broker_url": url}))
    assert "open-sesame" not in str(caught.value)
