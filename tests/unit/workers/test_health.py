"""What others may ask a process, over real HTTP."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from pipeline.settings import Settings
from workers import health, metrics

ANY_PORT = Settings(metrics_port=0)


def asked(port: int | None, path: str, method: str = "GET") -> tuple[int, str, str]:
    assert port
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
def test_readiness_is_whether_work_is_taken(is_ready: bool, status: int) -> None:
    with health.served(ANY_PORT, lambda: is_ready, lambda: True) as port:
        assert asked(port, "/readyz")[0] == status
        assert asked(port, "/healthz")[0] == 200


@pytest.mark.parametrize(("is_alive", "status"), [(True, 200), (False, 503)])
def test_health_is_whether_to_restart(is_alive: bool, status: int) -> None:
    with health.served(ANY_PORT, lambda: False, lambda: is_alive) as port:
        assert asked(port, "/healthz")[0] == status
        assert asked(port, "/readyz")[0] == 503


def test_metrics_are_told_in_the_form_of_prometheus() -> None:
    metrics.job_ended("partial")

    with health.served(ANY_PORT, lambda: True, lambda: True) as port:
        status, kind, text = asked(port, "/metrics?name=voxmill")

    assert (status, kind) == (200, health.PROMETHEUS)
    assert 'voxmill_jobs_total{state="partial"}' in text


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/healthz/x"])
def test_there_is_nothing_else(path: str) -> None:
    with health.served(ANY_PORT, lambda: True, lambda: True) as port:
        assert asked(port, path)[0] == 404


def test_nothing_can_be_changed() -> None:
    with health.served(ANY_PORT, lambda: True, lambda: True) as port:
        assert asked(port, "/metrics", "POST")[0] == 501


def test_many_may_ask_at_once_while_one_does_not_go_away() -> None:
    with health.served(ANY_PORT, lambda: True, lambda: True) as port:
        assert port
        idle = HTTPConnection("127.0.0.1", port)
        idle.connect()
        with ThreadPoolExecutor(8) as pool:
            statuses = [each[0] for each in pool.map(lambda _: asked(port, "/metrics"), range(32))]
        idle.close()

    assert statuses == [200] * 32


def test_the_port_is_given_back_in_the_end() -> None:
    with health.served(ANY_PORT, lambda: True, lambda: True) as port:
        pass

    assert not any(
        thread.name == "health" and thread.is_alive() for thread in threading.enumerate()
    )
    with pytest.raises(ConnectionError):
        asked(port, "/healthz")


def test_without_a_port_nothing_is_served() -> None:
    with health.served(Settings(metrics_port=None), lambda: True, lambda: True) as port:
        assert port is None
