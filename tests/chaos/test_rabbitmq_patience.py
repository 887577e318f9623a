"""RabbitMQ cuts off a worker that keeps a message for longer than it has patience."""

from __future__ import annotations

from pathlib import Path

import pytest
from farm import farming, text
from rabbit_server import program, rabbit

pytestmark = pytest.mark.skipif(
    program("rabbitmq-server") is None,
    reason="no RabbitMQ is installed here (apt-get install rabbitmq-server)",
)


def test_a_worker_that_is_cut_off_goes_on_with_its_work(tmp_path: Path) -> None:
    # What new brokers read from the queue itself, old ones have in their settings.
    patience, looks = "consumer_timeout = 2000", "-rabbit channel_tick_interval 1000"
    with rabbit(tmp_path / "rabbit", patience, looks) as broker:
        environment = {
            "VOXMILL_BROKER_URL": broker.url,
            "VOXMILL_SHARD_TIME_LIMIT_S": "30",
        }
        with farming(tmp_path, 1, environment=environment) as farm:
            farm.start()
            job = farm.submit(text(3, "slow"), cost_s=1.5)
            farm.await_end(job)
            farm.require_invariants(job)
            assert "timed out" in farm.workers[0].log.read_text(), "the broker had no patience"
            assert farm.workers[0].is_running
            assert len(farm.log(job.text)) == job.request.n_chunks
