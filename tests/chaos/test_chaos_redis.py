"""Redis killed, emptied, full, slow and out of reach while a book is made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from farm import SHARD, Farm, Job, farming, text
from recovery import fault, record
from servers import PASSWORD, eventually
from tcp_proxy import HOST, TcpProxy

#: What a chunk costs an engine: long enough for a fault to hit it.
COST_S = 0.15
N_CHUNKS = 16


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Farm, TcpProxy]]:
    """A farm whose processes reach Redis through a proxy; the test itself goes past it."""
    with (
        farming(tmp_path_factory.mktemp("farm")) as farm,
        TcpProxy(farm.redis.port) as proxy,
    ):
        farm.tell({"VOXMILL_REDIS_URL": f"redis://:{PASSWORD}@{HOST}:{proxy.port}/0"})
        yield farm, proxy


@pytest.fixture
def running(proxied: tuple[Farm, TcpProxy]) -> Farm:
    return proxied[0]


@pytest.fixture
def proxy(proxied: tuple[Farm, TcpProxy]) -> TcpProxy:
    return proxied[1]


@contextmanager
def disturbed(
    farm: Farm,
    scenario: str,
    max_rework: int = 2 * SHARD,
    within_s: float = 150,
    n_chunks: int = N_CHUNKS,
) -> Iterator[Job]:
    """Run a job that the body disturbs, and require that nothing is seen of it afterwards."""
    job = farm.submit(text(n_chunks, scenario.replace(" ", "")), cost_s=COST_S)
    farm.await_begun(job, 3)
    hit = fault(farm, job)
    yield job
    farm.await_end(job, within_s)
    farm.require_invariants(job)
    rework = len(farm.log(job.text)) - job.request.n_chunks
    record(f"Redis {scenario}", recovery_s=hit.recovered_s(), rework_chunks=rework)
    assert rework <= max_rework


def test_a_book_is_whole_though_redis_forgets_everything(farm: Farm) -> None:
    with disturbed(farm, "emptied"):
        farm.redis.client.flushall()


def test_a_book_is_whole_though_redis_is_killed_and_starts_again_with_what_it_wrote(
    farm: Farm,
) -> None:
    with disturbed(farm, "killed with its log"):
        farm.redis.kill()
        time.sleep(2)
        farm.redis.start()


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_is_killed_and_has_written_nothing(tmp_path: Path) -> None:
    with farming(tmp_path, is_persistent=False) as farm:
        farm.start()
        with disturbed(farm, "killed without a log"):
            farm.redis.kill()
            time.sleep(2)
            farm.redis.start()


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_is_away_for_longer_than_anybody_waits(farm: Farm) -> None:
    with disturbed(farm, "away for 25 s"):
        farm.redis.kill()
        time.sleep(25)
        farm.redis.start()


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_forgets_everything_again_and_again(farm: Farm) -> None:
    with disturbed(farm, "emptied every second", 4 * SHARD) as job:
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s and not farm.result(job):
            farm.redis.client.flushall()
            time.sleep(1)


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_has_no_memory_left_for_a_while(farm: Farm) -> None:
    with disturbed(farm, "out of memory for 8 s"):
        farm.redis.client.config_set("maxmemory", "100kb")
        time.sleep(8)
        farm.redis.client.config_set("maxmemory", "0")


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_book_is_made_though_every_question_to_redis_takes_two_seconds(tmp_path: Path) -> None:
    # A shard asks dozens of times, and nobody may be given up meanwhile.
    patience = {
        "VOXMILL_LEASE_S": "20",
        "VOXMILL_SLACK_S": "10",
        "VOXMILL_SHARD_TIME_LIMIT_S": "90",
    }
    with farming(tmp_path, environment=patience) as farm, TcpProxy(farm.redis.port) as proxy:
        farm.tell({"VOXMILL_REDIS_URL": f"redis://:{PASSWORD}@{HOST}:{proxy.port}/0"})
        farm.start()
        with disturbed(farm, "takes 2 s to answer", within_s=400, n_chunks=8):
            proxy.delay_s = 2.0


@pytest.mark.chaos
def test_a_book_is_whole_though_connections_to_redis_break_again_and_again(
    farm: Farm, proxy: TcpProxy
) -> None:
    with disturbed(farm, "connections broken every half second") as job:
        until_s = time.monotonic() + 8
        while time.monotonic() < until_s and not farm.result(job):
            proxy.reset()
            time.sleep(0.5)


@pytest.mark.chaos
def test_a_book_is_whole_though_every_connection_to_redis_is_left_half_open(
    farm: Farm, proxy: TcpProxy
) -> None:
    with disturbed(farm, "connections half-open"):
        eventually(lambda: proxy.n_connections, 5)
        proxy.forget()


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_takes_connections_and_never_answers(
    farm: Farm, proxy: TcpProxy
) -> None:
    with disturbed(farm, "silent for 15 s"):
        proxy.go_silent()
        time.sleep(15)
        proxy.recover()


@pytest.mark.chaos
def test_a_book_is_whole_though_redis_stands_still_for_a_while(farm: Farm) -> None:
    with disturbed(farm, "frozen for 10 s"):
        farm.redis.pause()
        time.sleep(10)
        farm.redis.resume()
