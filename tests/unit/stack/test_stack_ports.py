"""Ports that are kept, and ports that a stranger has taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from producer.stack import ports
from producer.stack.servers import LOOPBACK, free_ports, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, 0))
        stranger.listen()
        yield stranger.getsockname()[1]


def test_every_name_gets_a_port_of_its_own() -> None:
    found = ports.settled({}, ["redis", "s3", "worker-1"], [])
    assert len(set(found.values())) == 3
    assert all(map(is_free, found.values()))


def test_a_port_is_kept_over_restarts() -> None:
    (port,) = free_ports(1)
    assert ports.settled({"redis": port}, ["redis", "s3"], [])["redis"] == port


def test_a_port_that_a_stranger_has_taken_is_given_up(taken: int) -> None:
    assert ports.settled({"redis": taken}, ["redis"], [])["redis"] != taken


def test_a_port_that_our_own_process_holds_is_not_taken(taken: int) -> None:
    assert ports.settled({"redis": taken}, ["redis"], ["redis"])["redis"] == taken


def test_the_port_of_who_is_not_wanted_now_is_remembered() -> None:
    (port,) = free_ports(1)
    assert ports.settled({"worker-9": port}, ["worker-1"], [])["worker-9"] == port


def test_a_port_answers_while_something_listens(taken: int) -> None:
    assert ports.answers(taken)
    assert not ports.answers(free_ports(1)[0])
